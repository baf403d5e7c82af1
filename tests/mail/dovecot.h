// A Dovecot of our own: IMAP, POP3 and submission, with and without TLS, on free ports of loopback.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/files.h"
#include "config/transport/mail_settings.h"
#include "tests/mail/scripted_smtp_server.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

// Any user name with "@test" and the password "secret" logs in and has an empty mailbox; so does a
// JWT signed with HS256 and the key "jwt-key". As root, mails belong to nobody. What is submitted
// goes to relay().
class Dovecot {
 public:
  static constexpr const char* kMissing =
      "dovecot is not installed; scripts/install-deps.sh does it";

  // nullptr when it is not installed. One for the whole program, which it does not outlive.
  static Dovecot* instance() {
    static const auto server = ::access("/usr/sbin/dovecot", X_OK) == 0
                                   ? std::make_unique<Dovecot>()
                                   : std::unique_ptr<Dovecot>();
    return server.get();
  }

  Dovecot() {
    ::chmod(directory_.path().c_str(), 0755);
    make_keys();
    // Between the choice and the start another program may take one of them.
    for (int tries = 0; tries < 5; ++tries) {
      choose_ports();
      if (start()) return;
    }
  }
  ~Dovecot() { stop(); }
  Dovecot(const Dovecot&) = delete;

  // A new run directory each time: a server that is ending tidies up in its own.
  // False: it has ended at once.
  bool start() {
    const auto run = directory_ / ("run" + std::to_string(++starts_));
    const auto file = write(run + ".conf", configuration(run));
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setpgid(0, 0);
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      ::execl("/usr/sbin/dovecot", "dovecot", "-F", "-c", file.c_str(), nullptr);
      ::_exit(127);
    }
    ::setpgid(pid_, pid_);
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!answers(ports_["imap"]) && std::chrono::steady_clock::now() < give_up) {
      if (has_ended()) return false;
      ::poll(nullptr, 0, 10);
    }
    ::poll(nullptr, 0, 50);  // who answered may have been another program
    return !has_ended();
  }
  void stop() {
    if (pid_ <= 0) return;
    // With all of its children, in the middle of whatever they do.
    ::kill(-pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
    // Its children still listen for a moment, which would keep the next one from starting.
    for (const auto& [scheme, port] : ports_) {
      for (int tries = 0; answers(port) && tries < 1000; ++tries) ::poll(nullptr, 0, 10);
    }
  }

  MailSettings settings(const std::string& scheme, const std::string& user) {
    MailSettings settings;
    settings.fetch = {scheme, "127.0.0.1", ports_[scheme], ""};
    settings.login.user = user;
    settings.login.password_file = write(directory_ / "password", "secret\n");
    settings.tls.ca = directory_ / "ca.pem";
    settings.time_limit = std::chrono::seconds(20);
    return settings;
  }
  ScriptedSmtpServer& relay() { return relay_; }
  const std::string& directory() const { return directory_.path(); }
  std::string maildir(const std::string& user) const { return directory_ / "mail" + "/" + user; }

  // As a mail server would; the n-th mail is older than the next.
  void deliver(const std::string& user, const std::string& mail) {
    deliver_into(maildir(user), mail, ++delivered_, owner_, group_);
  }

  static void deliver_into(const std::string& maildir, const std::string& mail, int number,
                           uid_t owner, gid_t group) {
    for (const auto* const part : {"", "/tmp", "/new", "/cur"}) {
      ::mkdir((maildir + part).c_str(), 0700);
      own(maildir + part, owner, group);
    }
    const auto name = std::to_string(1'700'000'000 + number) + ".M" + std::to_string(number) +
                      "P1.test,S=" + std::to_string(mail.size());
    write(maildir + "/tmp/" + name, mail);
    own(maildir + "/tmp/" + name, owner, group);
    const timespec times[2] = {{1'700'000'000 + number, 0}, {1'700'000'000 + number, 0}};
    ::utimensat(AT_FDCWD, (maildir + "/tmp/" + name).c_str(), times, 0);
    ::rename((maildir + "/tmp/" + name).c_str(), (maildir + "/new/" + name).c_str());
  }

  static std::string write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  // Runs it in the server's directory; what it prints.
  std::string shell(const std::string& command) const {
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(
        ::popen(("cd " + directory_.path() + " && (" + command + ") 2>/dev/null").c_str(), "r"),
        ::pclose);
    std::string printed;
    char chunk[256];
    while (::fgets(chunk, sizeof chunk, pipe.get()) != nullptr) printed += chunk;
    return printed;
  }

 private:
  void choose_ports() {
    std::vector<FileDescriptor> taken;  // until all are known
    for (const auto* const scheme : {"imap", "imaps", "pop3", "pop3s", "smtp", "smtps"}) {
      auto [listener, port] = listen_on_loopback();
      taken.push_back(std::move(listener));
      ports_[scheme] = port;
    }
  }
  bool has_ended() {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
    return pid_ <= 0;
  }

  static void own(const std::string& path, uid_t owner, gid_t group) {
    const bool owned = ::getuid() != 0 || ::chown(path.c_str(), owner, group) == 0;
    CHECK(owned);
  }

  static bool answers(int port) {
    const FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  void make_keys() {
    const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ";
    shell("for ca in ca other; do openssl req -x509 " + key +
          "-days 2 -subj /CN=$ca -keyout $ca.key -out $ca.pem; done; openssl req " + key +
          "-subj /CN=localhost -keyout server.key -out server.csr; "
          "echo subjectAltName=DNS:localhost,IP:127.0.0.1 > names; openssl x509 -req -days 2 "
          "-in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names "
          "-out server.pem; chmod 644 server.key; mkdir -p mail jwt/default/HS256; "
          "printf jwt-key | base64 > jwt/default/HS256/default");
    if (::getuid() != 0) {
      owner_ = ::getuid(), group_ = ::getgid();
    } else if (const auto* const nobody = ::getpwnam("nobody")) {
      owner_ = nobody->pw_uid, group_ = nobody->pw_gid;
    }
    own(directory_ / "mail", owner_, group_);
  }

  bool is_before_2_4() const { return shell("/usr/sbin/dovecot --version").starts_with("2.3"); }

  std::string accounts_before_2_4() {
    write(directory_ / "oauth",
          "introspection_mode = local\nusername_attribute = sub\n"
          "local_validation_key_dict = fs:posix:prefix=" +
              directory_.path() + "/jwt/\n");
    std::ostringstream out;
    out << "disable_plaintext_auth = no\nssl_cert = <" << directory_.path()
        << "/server.pem\nssl_key = <" << directory_.path() << "/server.key\n"
        << "mail_location = maildir:" << directory_.path() << "/mail/%u\n"
        << "passdb {\n  driver = static\n  args = password=secret\n  mechanisms = plain login\n}\n"
        << "passdb {\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = "
        << directory_.path() << "/oauth\n}\n"
        << "userdb {\n  driver = static\n  args = uid=" << owner_ << " gid=" << group_
        << " home=" << directory_.path() << "/mail/%u allow_all_users=yes\n}\n";
    return out.str();
  }

  // Of 2.4, which takes no settings that do not say for which version they are.
  std::string accounts() const {
    std::ostringstream out;
    out << "auth_allow_cleartext = yes\nssl_server_cert_file = " << directory_.path()
        << "/server.pem\nssl_server_key_file = " << directory_.path() << "/server.key\n"
        << "mail_driver = maildir\nmail_path = " << directory_.path() << "/mail/%{user}\n"
        << "oauth2 {\n  introspection_mode = local\n  username_attribute = sub\n"
        << "  oauth2_local_validation {\n    dict fs {\n      fs posix {\n        prefix = "
        << directory_.path() << "/jwt/\n      }\n    }\n  }\n}\n"
        << "passdb static {\n  password = secret\n}\n"
        << "userdb static {\n  allow_all_users = yes\n  fields {\n    uid = " << owner_
        << "\n    gid = " << group_ << "\n    home = " << directory_.path()
        << "/mail/%{user}\n  }\n}\n";
    return out.str();
  }

  std::string configuration(const std::string& run) {
    std::ostringstream out;
    const bool root = ::getuid() == 0;
    const auto me = root ? std::string() : shell("id -un"), group = root ? "" : shell("id -gn");
    if (!is_before_2_4()) {
      out << "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n";
    }
    out << "base_dir = " << run << "\nstate_dir = " << run << "\nlog_path = " << run << ".log\n"
        << "protocols = imap pop3 submission\nlisten = 127.0.0.1\nfirst_valid_uid = "
           "0\nlast_valid_uid = 0\n";
    if (!root) {
      out << "default_internal_user = " << me << "default_internal_group = " << group
          << "default_login_user = " << me;
    }
    out << "auth_mechanisms = plain login xoauth2 oauthbearer\nauth_failure_delay = 0\nssl = yes\n"
        << (is_before_2_4() ? accounts_before_2_4() : accounts())
        << "namespace inbox {\n  inbox = yes\n  separator = /\n}\n"
        << "service anvil {\n  chroot =\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  "
           "}\n}\n"
        << "service stats {\n  chroot =\n}\n";
    out << "submission_relay_host = 127.0.0.1\nsubmission_relay_port = " << relay_.port() << "\n";
    for (const auto& [service, scheme] : {std::pair<std::string, std::string>{"imap", "imap"},
                                          {"pop3", "pop3"},
                                          {"submission", "smtp"}}) {
      out << "service " << service << "-login {\n  chroot =\n  inet_listener " << service
          << " {\n    port = " << ports_[scheme] << "\n  }\n  inet_listener " << service
          << "s {\n    port = " << ports_[scheme + "s"] << "\n    ssl = yes\n  }\n}\n";
    }
    return out.str();
  }

  ScriptedSmtpServer relay_;
  TemporaryDirectory directory_;
  std::map<std::string, int> ports_;
  uid_t owner_ = 65534;
  gid_t group_ = 65534;
  pid_t pid_ = 0;
  int starts_ = 0;
  int delivered_ = 0;
};

}  // namespace cmpost
