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
    {SQLITE_IOERR, Recovery::retry, "the disk fails: look for its errors in the kernel's log"},
    {SQLITE_CORRUPT, Recovery::hold,
     "stop the service, keep the file and its -wal file, and let `PRAGMA integrity_check` look at "
     "a "
     "copy of both; if it finds fault with them, restore a backup"},
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
// sqlite3_system_errno() does not have it then: it is asked after the one code has become the
// other.
int told_by_the_system(int code, int number) {
  if ((code & 0xff) != SQLITE_CORRUPT) return code;
  return number == EIO || number == ENXIO || number == ERANGE ? SQLITE_IOERR : code;
}

// CANTOPEN and IOERR hide the reason that helps, for instance "too many open files".
int system_reason(sqlite3* database, int code) {
  const int primary = code & 0xff;
  if (database == nullptr || (primary != SQLITE_CANTOPEN && primary != SQLITE_IOERR)) return 0;
  return sqlite3_system_errno(database);
}

std::string in_words(int number) {
  return number == 0 ? std::string() : std::string(": ") + std::strerror(number);
}

}  // namespace

Error sqlite_error(sqlite3* database, int code, std::string_view doing, std::string_view path) {
  const int last = errno;  // since the call was begun
  const int told = told_by_the_system(code, last);
  const int reason = told == code ? system_reason(database, code) : last;
  const bool known = database != nullptr && sqlite3_extended_errcode(database) == told;
  const auto* advice = advice_for(told);
  return Error{advice != nullptr ? advice->recovery : Recovery::hold,
               std::string(doing) + " " + std::string(path) + ": " +
                   (known ? sqlite3_errmsg(database) : sqlite3_errstr(told)) + in_words(reason),
               advice != nullptr ? advice->hint : ""};
}

}  // namespace cmpost
