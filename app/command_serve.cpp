#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>

#include "app/channels.h"
#include "app/command.h"
#include "app/instance.h"
#include "app/operator_act.h"
#include "app/output.h"
#include "app/process_signals.h"
#include "app/sign_of_life.h"
#include "base/log.h"
#include "base/pause.h"
#include "outbox/dispatcher.h"
#include "processor/processor.h"
#include "watcher/ingress_loop.h"

namespace cmpost {
namespace {

constexpr auto kMaintenance = std::chrono::seconds(30);
constexpr auto kLook = std::chrono::seconds(1);
constexpr auto kEnd = std::chrono::seconds(9);  // after a request to stop

struct ServeOptions {
  std::vector<std::string> stages = {"ingress", "processor", "egress"};
  bool has(std::string_view stage) const {
    return std::ranges::find(stages, stage) != stages.end();
  }
};

// sd_notify(3): one datagram to the socket that systemd names.
void notify_service_manager(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // abstract
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
           size);
  ::close(fd);
}

// The stages that run in this process, started and stopped together.
class Service {
 public:
  explicit Service(Instance& instance)
      : instance_(instance), ways_(instance.settings().instance.state, instance.clock()) {}

  Result<void> start(const ServeOptions& options) {
    std::vector<Stage> stages;
    for (const auto stage : kStages) {
      if (options.has(to_string(stage))) stages.push_back(stage);
    }
    life_.emplace(instance_.settings().instance.state, stages, SignOfLife::Kind::serve,
                  instance_.clock());
    ASSIGN_OR_RETURN(auto* const spool, instance_.spool());
    spool_ = spool;
    if (options.has("processor")) TRY(start_processor(*spool));
    if (options.has("egress")) TRY(start_egress(*spool));
    if (options.has("ingress")) TRY(start_ingress(*spool));
    return {};
  }

  // Whether the databases are those that the settings name; see Connection::check_place().
  Result<void> check_databases() const {
    TRY(spool_->check_place());
    return ledger_ == nullptr ? Result<void>() : ledger_->check_place();
  }

  void keep_up() {
    if (steady_.now() < next_upkeep_) return;
    next_upkeep_ = steady_.now() + kMaintenance;
    life_->beat();
    if (!processor_) return;
    auto& record = ways_.of(Part::maintenance);
    if (const auto done = maintain(instance_); !done) {
      log::error("maintenance.failed", {{"error", to_string(done.error())}});
      record.rests(done.error(), kMaintenance);
    } else {
      record.works();
    }
  }

 private:
  Result<void> start_processor(Spool& spool) {
    ASSIGN_OR_RETURN(auto* const ledger, instance_.ledger());
    ledger_ = ledger;
    ASSIGN_OR_RETURN(const auto services, instance_.services());
    TRY(record_settings(instance_));
    TRY(maintain(instance_));
    ways_.of(Part::maintenance).works();
    const auto workers = static_cast<std::size_t>(instance_.settings().instance.workers);
    ASSIGN_OR_RETURN(
        processor_,
        Processor::create(spool, *ledger, services, settings_for(workers, ways_), [this] {
          if (const auto crl = issue_crl_after_revocation(instance_); !crl) {
            log::error("crl.failed", {{"error", to_string(crl.error())}});
          }
        }));
    processing_ = std::jthread([this](std::stop_token stop) { processor_->run(std::move(stop)); });
    return {};
  }

  Result<void> start_egress(Spool& spool) {
    ASSIGN_OR_RETURN(egresses_, make_egresses(instance_, steady_));
    std::vector<Egress*> channels;
    for (const auto& egress : egresses_) channels.push_back(egress.get());
    dispatcher_ = std::make_unique<Dispatcher>(spool.replies(), channels, instance_.likely_clock(),
                                               steady_, instance_.random(), ways_);
    dispatching_ = std::make_unique<DispatchLoop>(*dispatcher_, spool.replies(), ways_);
    return {};
  }

  Result<void> start_ingress(Spool& spool) {
    ASSIGN_OR_RETURN(ingresses_, make_ingresses(instance_, spool, steady_));
    for (const auto& ingress : ingresses_) {
      watching_.push_back(
          std::make_unique<IngressLoop>(*ingress, ways_.of(ingress->channel(), Way::in)));
    }
    return {};
  }

  Instance& instance_;
  SteadyClock steady_;
  WayBook ways_;
  std::optional<SignOfLife> life_;
  const Spool* spool_ = nullptr;
  const Ledger* ledger_ = nullptr;
  Time next_upkeep_ = steady_.now() + kMaintenance;
  std::unique_ptr<Processor> processor_;
  std::vector<std::unique_ptr<Egress>> egresses_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::vector<std::unique_ptr<Ingress>> ingresses_;
  // Last: what stops first is destroyed first.
  std::jthread processing_;
  std::unique_ptr<DispatchLoop> dispatching_;
  std::vector<std::unique_ptr<IngressLoop>> watching_;
};

// Not even the databases are closed: that would write to files which are others' by now.
[[noreturn]] void end_at_once(const Error& error) {
  log::error("service.ended_hard", {{"reason", error.what}, {"hint", error.hint}});
  log::flush(kLook);
  std::_Exit(static_cast<int>(ExitCode::failed));
}

Result<ExitCode> serve(const ServeOptions& options, const CommonOptions& common) {
  ProcessSignals signals;  // before any thread, so that all of them leave the signals to us
  const std::jthread unheard([&signals](const std::stop_token& stop) {
    // This thread may be held up in the middle of something and never look.
    for (auto since = 0 * kLook; pause(kLook, stop);) {
      since = signals.stop_waits() ? since + kLook : 0 * kLook;
      if (since >= kEnd) end_hard();
    }
  });
  std::optional<EndsInTime> end;
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  TRY(instance->refuse_open_secrets());
  Service service(*instance);
  TRY(service.start(options));
  notify_service_manager("READY=1");
  log::info("service.started",
            {{"instance", instance->settings().instance.name}, {"pid", ::getpid()}});
  while (!signals.wait_for_stop(kLook)) {
    if (const auto placed = service.check_databases(); !placed) end_at_once(placed.error());
    service.keep_up();
  }
  end.emplace(kEnd);
  notify_service_manager("STOPPING=1");
  log::info("service.stopping");
  return ExitCode::ok;
}

}  // namespace

void add_serve(CommandLine line) {
  auto* command = line.app.add_subcommand("serve", "take in, process and answer until stopped");
  auto options = std::make_shared<ServeOptions>();
  command
      ->add_option("--stage", options->stages, "only these, with commas: ingress,processor,egress")
      ->delimiter(',')
      ->check(CLI::IsMember({"ingress", "processor", "egress"}));
  command->callback(
      [=] { line.action = [=, common = &line.options] { return serve(*options, *common); }; });
}

}  // namespace cmpost
