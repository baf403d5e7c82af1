// How fast mails are read and written:
//   mime_bench [MAILS]      default: 20000 of 4 KB, and fewer larger ones
#include <cstdio>
#include <cstdlib>

#include "mime/read_mail.h"
#include "mime/scan.h"
#include "mime/write_mail.h"

namespace cmpost {
namespace {

Bytes mail_of(std::size_t octets_of_message) {
  OutgoingMail mail;
  mail.from = {"pki", "ca.example"};
  mail.to = {"depot7", "site.example"};
  mail.subject = "Antr\xc3\xa4ge";
  mail.message_id = "<1@ca.example>";
  for (int i = 0; i < 10; ++i)
    mail.text += "What a site engineer reads in a line of usual length.\n";
  mail.file_name = "dev1.ip.pki";
  mail.message.assign(octets_of_message, 0x30);
  auto raw = write_mail(mail);
  CHECK(raw);
  return *raw;
}

void measure(const char* what, std::size_t octets, std::size_t count, const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < count; ++i) work();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  std::printf("%-20s %9zu octets %8.4f ms %9.0f mails/s\n", what, octets,
              taken.count() * 1000 / static_cast<double>(count),
              static_cast<double>(count) / taken.count());
}

int run(std::size_t count) {
  for (const std::size_t octets : {std::size_t{2100}, std::size_t{70000}, std::size_t{1000000}}) {
    const auto raw = mail_of(octets);
    const auto rounds = count * 2100 / octets + 1;
    measure("write_mail", raw.size(), rounds, [&] { CHECK(!mail_of(octets).empty()); });
    measure("scan", raw.size(), rounds, [&] { CHECK(scan(raw, {})); });
    measure("read_mail", raw.size(), rounds, [&] { CHECK(read_mail(raw, {}, {})); });
  }
  return 0;
}

}  // namespace
}  // namespace cmpost

int main(int argc, char** argv) {
  return cmpost::run(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 20000);
}
