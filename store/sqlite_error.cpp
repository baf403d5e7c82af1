#include "store/sqlite_error.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace cmpost {
namespace {

// A primary result code, who can help, and how.
struct Advice {
  int code;
  Recovery recovery;
  const char* hint;
};

constexpr Advice kAdvice[] = {
    {SQLITE_FULL, Recovery::retry, "free some space; the work goes on by itself"},
    {SQLITE_BUSY, Recovery::retry,
     "another process holds the database; look for a backup or a listing that does not end"},
    {SQLITE_LOCKED, Recovery::retry, "another statement of this process holds a table"},
    {SQLITE_PROTOCOL, Recovery::retry, "too many processes start at once on this database"},
    {SQLITE_NOMEM, Recovery::retry, "the machine is short of memory"},
    {SQLITE_IOERR, Recovery::retry, "look for disk errors in the kernel's log"},
    {SQLITE_CORRUPT, Recovery::hold,
     "stop the service, keep the file and its -wal file, and restore a backup"},
    {SQLITE_NOTADB, Recovery::hold,
     "the file is no database: correct the setting, or restore a backup"},
    {SQLITE_READONLY, Recovery::hold,
     "this user needs write permission for the database, its -wal and -shm files and their folder"},
    {SQLITE_CANTOPEN, Recovery::hold,
     "check that the folder exists, and the owner and mode of the file and of the folders above"},
    {SQLITE_PERM, Recovery::hold, "check the owner and mode of the file"},
};

const Advice* advice_for(int code) {
  for (const auto& advice : kAdvice) {
    if (advice.code == (code & 0xff)) return &advice;
  }
  return nullptr;
}

// A page that the disk does not give is CORRUPT in SQLite's words (SQLITE_IOERR_CORRUPTFS): as long
// as the system says so, nobody knows that anything is wrong with the file.
int told_by_the_system(sqlite3* database, int code) {
  if (database == nullptr || (code & 0xff) != SQLITE_CORRUPT) return code;
  const int number = sqlite3_system_errno(database);
  return number == EIO || number == ENXIO || number == ERANGE ? SQLITE_IOERR : code;
}

// CANTOPEN and IOERR hide the reason that helps, for instance "too many open files".
std::string system_reason(sqlite3* database, int code) {
  const int primary = code & 0xff;
  if (database == nullptr || (primary != SQLITE_CANTOPEN && primary != SQLITE_IOERR)) return {};
  const int number = sqlite3_system_errno(database);
  return number == 0 ? std::string() : std::string(": ") + std::strerror(number);
}

}  // namespace

Error sqlite_error(sqlite3* database, int code, std::string_view doing, std::string_view path) {
  code = told_by_the_system(database, code);
  const bool known = database != nullptr && sqlite3_extended_errcode(database) == code;
  const auto* advice = advice_for(code);
  return Error{advice != nullptr ? advice->recovery : Recovery::hold,
               std::string(doing) + " " + std::string(path) + ": " +
                   (known ? sqlite3_errmsg(database) : sqlite3_errstr(code)) +
                   system_reason(database, code),
               advice != nullptr ? advice->hint : ""};
}

}  // namespace cmpost
