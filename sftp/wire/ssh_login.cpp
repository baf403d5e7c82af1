#include "sftp/wire/ssh_login.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/files.h"
#include "base/secret_line.h"
#include "sftp/wire/ssh_handles.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxKeyFile = std::size_t{64} << 10U;
constexpr int kMaxRounds = 4, kMaxPrompts = 4;  // of questions that a server may ask

// libssh would ask for the passphrase on a terminal otherwise.
int never_ask(const char*, char*, size_t, int, int, void*) { return -1; }

Result<SshKeyPtr> private_key(const SftpLogin& login) {
  ASSIGN_OR_RETURN(const auto content, read_file(login.key_file, kMaxKeyFile));
  std::string passphrase;
  if (!login.passphrase_file.empty()) {
    ASSIGN_OR_RETURN(passphrase, read_secret_line(login.passphrase_file));
  }
  const std::string text(text_of(content));
  ssh_key key = nullptr;
  if (ssh_pki_import_privkey_base64(text.c_str(), passphrase.empty() ? nullptr : passphrase.c_str(),
                                    never_ask, nullptr, &key) == SSH_OK) {
    return SshKeyPtr(key);
  }
  return hold(login.key_file + " cannot be read as a private key",
              passphrase.empty() ? "is it encrypted? passphrase_file names the file with its "
                                   "passphrase; `ssh-keygen -y -f` tells whether it is a key"
                                 : "is the passphrase right?");
}

std::string offered(int methods) {
  std::string text;
  const auto add = [&](int method, const char* name) {
    if ((methods & method) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  };
  add(SSH_AUTH_METHOD_PUBLICKEY, "publickey");
  add(SSH_AUTH_METHOD_PASSWORD, "password");
  add(SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive");
  add(SSH_AUTH_METHOD_HOSTBASED, "hostbased");
  add(SSH_AUTH_METHOD_GSSAPI_MIC, "gssapi");
  return text.empty() ? "nothing" : text;
}

// The password is the answer to each question that is not to be seen.
int answer_questions(ssh_session session, const std::string& password) {
  int outcome = ssh_userauth_kbdint(session, nullptr, nullptr);
  for (int round = 0; outcome == SSH_AUTH_INFO; ++round) {
    const int prompts = ssh_userauth_kbdint_getnprompts(session);
    if (round == kMaxRounds || prompts > kMaxPrompts) return SSH_AUTH_DENIED;
    for (int i = 0; i < prompts; ++i) {
      char echo = 0;
      ssh_userauth_kbdint_getprompt(session, static_cast<unsigned>(i), &echo);
      ssh_userauth_kbdint_setanswer(session, static_cast<unsigned>(i),
                                    echo == 0 ? password.c_str() : "");
    }
    outcome = ssh_userauth_kbdint(session, nullptr, nullptr);
  }
  return outcome;
}

class Login {
 public:
  Login(ssh_session session, const SftpLogin& login, const std::string& peer)
      : session_(session), login_(login), peer_(peer) {}

  Result<void> run() {
    ASSIGN_OR_RETURN(bool done, judged(ssh_userauth_none(session_, nullptr)));
    if (!done && !login_.key_file.empty()) {
      ASSIGN_OR_RETURN(done, with_key());
    }
    if (!done && !login_.password_file.empty()) {
      ASSIGN_OR_RETURN(done, with_password());
    }
    if (done) return {};
    return hold(
        peer_ + " refused the login" + tried_,
        "the server offers " + offered(methods()) + "; are user, key and password the right ones?");
  }

 private:
  int methods() { return ssh_userauth_list(session_, nullptr); }

  // True: logged in. An Error: there is no more to try on this connection.
  Result<bool> judged(int outcome) {
    if (outcome == SSH_AUTH_SUCCESS) return true;
    if (outcome == SSH_AUTH_DENIED || outcome == SSH_AUTH_PARTIAL) return false;
    const auto words = printable(ssh_get_error(session_));
    // A server that has had enough of wrong logins ends the connection.
    if (!tried_.empty()) return hold(peer_ + " refused the login" + tried_ + ": " + words);
    return retry("logging in at " + peer_ + ": " + words);
  }

  Result<bool> with_key() {
    if ((methods() & SSH_AUTH_METHOD_PUBLICKEY) == 0) return false;
    ASSIGN_OR_RETURN(const auto key, private_key(login_));
    tried_ += " with the key " + login_.key_file;
    return judged(ssh_userauth_publickey(session_, nullptr, key.get()));
  }

  Result<bool> with_password() {
    ASSIGN_OR_RETURN(const auto password, read_secret_line(login_.password_file));
    const int offered_methods = methods();
    const bool plain = (offered_methods & SSH_AUTH_METHOD_PASSWORD) != 0;
    if (!plain && (offered_methods & SSH_AUTH_METHOD_INTERACTIVE) == 0) return false;
    tried_ +=
        std::string(tried_.empty() ? "" : " and") + " with the password in " + login_.password_file;
    return judged(plain ? ssh_userauth_password(session_, nullptr, password.c_str())
                        : answer_questions(session_, password));
  }

  ssh_session session_;
  const SftpLogin& login_;
  const std::string& peer_;
  std::string tried_;
};

}  // namespace

Result<void> ssh_log_in(ssh_session session, const SftpLogin& login, const std::string& peer) {
  return Login(session, login, peer).run();
}

}  // namespace cmpost
