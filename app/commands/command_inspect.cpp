#include <unistd.h>

#include <array>
#include <cerrno>

#include "app/commands/commands.h"
#include "app/terminal/output.h"
#include "base/files.h"
#include "cmp/inspect/inspect.h"
#include "watcher/unwrap.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxFile = 64 << 20;

Result<Bytes> read_standard_input() {
  Bytes contents;
  std::array<std::uint8_t, 1 << 16> part;
  for (;;) {
    const auto got = ::read(STDIN_FILENO, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(errno_error("reading", "standard input", errno));
    if (got == 0) return contents;
    append(contents, ByteView(part.data(), static_cast<std::size_t>(got)));
    if (contents.size() > kMaxFile) {
      return hold("standard input has more than " + std::to_string(kMaxFile) + " octets");
    }
  }
}

Result<ExitCode> inspect(const std::string& path, const CommonOptions& options) {
  ASSIGN_OR_RETURN(const auto contents,
                   path == "-" ? read_standard_input() : read_file(path, kMaxFile));
  const auto unwrapped = unwrap(contents);
  if (unwrapped.what != Unwrapped::What::message) {
    return hold(path + " holds no message: " + unwrapped.reason, unwrapped.hint);
  }
  MessageLimits limits;
  limits.max_message = kMaxFile;
  const auto message = decode(unwrapped.message, limits);
  if (!message) return hold(path + " is not a PKIMessage: " + message.error().text());
  print_line(options.json ? inspect_json(*message) : inspect_text(*message));
  return ExitCode::ok;
}

}  // namespace

void add_inspect(CommandLine line) {
  auto* command =
      line.app.add_subcommand("inspect", "a PKIMessage in words or as JSON; needs no instance");
  auto path = std::make_shared<std::string>();
  command->add_option("FILE", *path, "DER, PEM or with a TCP-message header; - is standard input")
      ->required();
  command->callback(
      [=] { line.action = [=, common = &line.options] { return inspect(*path, *common); }; });
}

}  // namespace cmpost
