#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "app/instance/instance.h"
#include "app/instance/operator_act.h"
#include "app/instance/own_renewal.h"
#include "app/instance/settings_in_use.h"
#include "app/instance/sign_of_life.h"
#include "app/service/channels.h"
#include "app/service/process_signals.h"
#include "app/service/reload.h"
#include "app/service/run_record.h"
#include "app/service/run_schedule.h"
#include "app/service/run_scope.h"
#include "app/service/service_commands.h"
#include "app/service/service_manager.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "base/at_work.h"
#include "base/log.h"
#include "base/start_thread.h"
#include "outbox/dispatcher.h"
#include "processor/processor.h"
#include "processor/upstream_timers.h"
#include "watcher/ingress_loop.h"

namespace cmpost {
namespace {

constexpr auto kMaintenance = std::chrono::seconds(30);
constexpr auto kTending = std::chrono::seconds(2);
constexpr auto kLook = std::chrono::seconds(1);

struct ServeOptions {
  std::vector<std::string> stages = {"ingress", "processor", "egress"};
  bool has(std::string_view stage) const {
    return std::ranges::find(stages, stage) != stages.end();
  }
  std::string name() const {
    std::string text;
    for (const auto& stage : stages) text += (text.empty() ? "" : "+") + stage;
    return text;
  }
};

// The stages that run in this process, started and stopped together.
class Service {
 public:
  explicit Service(Instance& instance)
      : instance_(instance), ways_(instance.settings().instance.state, instance.clock()) {}

  // What is in hand is ended; what comes next is left to the next start.
  ~Service() {
    // All at the same time: each may take a moment.
    for (const auto& loop : watching_) loop->request_stop();
    if (dispatching_) dispatching_->request_stop();
    processing_.request_stop();
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  Result<void> start(const ServeOptions& options) {
    std::vector<Stage> stages;
    for (const auto stage : kStages) {
      if (options.has(to_string(stage))) stages.push_back(stage);
    }
    tell_of_others(stages);
    life_.emplace(instance_.settings().instance.state, stages, SignOfLife::Kind::serve,
                  instance_.clock());
    ASSIGN_OR_RETURN(auto* const spool, instance_.spool());
    spool_ = spool;
    if (options.has("processor")) TRY(start_processor(*spool));
    if (options.has("egress")) TRY(start_egress(*spool));
    if (options.has("ingress")) TRY(start_ingress(*spool));
    if (options.has("processor")) runs_.emplace(instance_, instance_.settings().file, steady_);
    return {};
  }

  // Whether the databases are those that the settings name; see Connection::check_place().
  Result<void> check_databases() const {
    TRY(spool_->check_place());
    return ledger_ == nullptr ? Result<void>() : ledger_->check_place();
  }

  // False: a new certificate of our own has come into use, and the instance has to be opened anew.
  bool keep_up() {
    if (runs_) runs_->look();
    if (steady_.now() >= next_tending_) tend();
    if (steady_.now() < next_upkeep_) return true;
    next_upkeep_ = steady_.now() + kMaintenance;
    life_->beat();
    if (!processor_) return true;
    auto& record = ways_.of(Part::maintenance);
    if (const auto done = maintain(instance_); !done) {
      log::error("maintenance.failed", {{"error", to_string(done.error())}});
      record.rests(done.error(), kMaintenance);
    } else {
      record.works();
    }
    return !own_certificate_has_changed(instance_);
  }

 private:
  // Whoever waits for a CA above waits for this, too.
  void tend() {
    next_tending_ = steady_.now() + kTending;
    if (!processor_ || instance_.is_ca()) return;
    const auto services = instance_.services();
    const auto done = services ? tend_upstream(*spool_, *ledger_, *services)
                               : Result<void>(failure(services.error()));
    if (done) return;
    log::error("upstream.not_tended", {{"error", to_string(done.error())}});
    ways_.of(Part::maintenance).rests(done.error(), kMaintenance);
    next_tending_ = steady_.now() + kMaintenance;
  }

  // That is safe, and mostly a mistake: each logs in at the servers of all channels.
  void tell_of_others(const std::vector<Stage>& stages) const {
    for (const auto stage : stages) {
      const auto life = look_for_life(instance_.settings().instance.state, stage);
      if (!life || !*life || !(*life)->running || (*life)->batch) continue;
      log::warning("service.beside", {{"stage", to_string(stage)}, {"pid", (*life)->pid}});
    }
  }

  Result<void> start_processor(Spool& spool) {
    ASSIGN_OR_RETURN(auto* const ledger, instance_.ledger());
    ledger_ = ledger;
    TRY(settle_own_certificate(instance_));
    TRY(recall_former_certificates(instance_));
    ASSIGN_OR_RETURN(const auto services, instance_.services());
    TRY(maintain(instance_));
    ways_.of(Part::maintenance).works();
    const auto workers = static_cast<std::size_t>(instance_.settings().instance.workers);
    ASSIGN_OR_RETURN(
        processor_,
        Processor::create(spool, *ledger, services, settings_for(workers, ways_), [this] {
          if (const auto crl = crl_after_revocation(instance_); !crl) {
            log::error("crl.failed", {{"error", to_string(crl.error())}});
          }
        }));
    ASSIGN_OR_RETURN(processing_, start_thread([this](std::stop_token stop) {
                       processor_->run(std::move(stop));
                     }));
    return {};
  }

  Result<void> start_egress(Spool& spool) {
    ASSIGN_OR_RETURN(egresses_, make_egresses(instance_, steady_));
    std::vector<Egress*> channels;
    for (const auto& egress : egresses_) channels.push_back(egress.get());
    dispatcher_ = std::make_unique<Dispatcher>(spool.replies(), channels, instance_.likely_clock(),
                                               steady_, instance_.random(), ways_);
    ASSIGN_OR_RETURN(dispatching_, DispatchLoop::start(*dispatcher_, spool.replies(), ways_));
    return {};
  }

  Result<void> start_ingress(Spool& spool) {
    ASSIGN_OR_RETURN(ingresses_, make_ingresses(instance_, spool, steady_));
    for (const auto& ingress : ingresses_) {
      ASSIGN_OR_RETURN(auto loop,
                       IngressLoop::start(*ingress, ways_.of(ingress->channel(), Way::in)));
      watching_.push_back(std::move(loop));
    }
    return {};
  }

  Instance& instance_;
  SteadyClock steady_;
  WayBook ways_;
  std::optional<SignOfLife> life_;
  Spool* spool_ = nullptr;
  Ledger* ledger_ = nullptr;
  Time next_upkeep_ = steady_.now() + kMaintenance;
  Time next_tending_ = steady_.now() + kTending;
  std::unique_ptr<Processor> processor_;
  std::vector<std::unique_ptr<Egress>> egresses_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::vector<std::unique_ptr<Ingress>> ingresses_;
  // Last: what stops first is destroyed first.
  std::jthread processing_;
  std::unique_ptr<DispatchLoop> dispatching_;
  std::vector<std::unique_ptr<IngressLoop>> watching_;
  std::optional<RunSchedule> runs_;
};

// Not even the databases are closed: that would write to files which are others' by now.
[[noreturn]] void end_at_once(const Error& error) {
  log::error("service.ended_hard", {{"reason", error.what}, {"hint", error.hint}});
  log::flush(kLook);
  std::_Exit(static_cast<int>(ExitCode::failed));
}

// The service and the settings that it has just now.
class Serving {
 public:
  Serving(const ServeOptions& options, const CommonOptions& common)
      : options_(options), common_(common) {}

  Result<void> start() {
    ASSIGN_OR_RETURN(const auto file, find_config(common_));
    const auto digest = digest_of_settings(file);
    ASSIGN_OR_RETURN(instance_, Instance::open(common_));
    TRY(instance_->refuse_open_secrets());
    TRY(start_service(digest));
    in_use_.emplace(instance_->settings().instance.state, options_.name(), wall_);
    in_use_->use(digest);
    digest_ = digest;
    log::info("service.started",
              {{"instance", instance_->settings().instance.name}, {"pid", ::getpid()}});
    return {};
  }

  // An Error: neither the new settings nor the old ones let it go on.
  Result<void> reload(const std::string& asked_by) {
    const AtWork at_work("reloading the settings");
    auto next = reload_settings(*instance_);
    if (!next.instance) {
      refuse(next.digest, next.complaints);
      return {};
    }
    auto before = stop_service();
    instance_ = std::move(next.instance);
    if (const auto started = start_service(next.digest, asked_by); !started) {
      refuse(next.digest, {to_string(started.error())});
      stop_service();
      instance_ = std::move(before);
      return start_service(digest_, asked_by);
    }
    digest_ = next.digest;
    configure_log(instance_->settings(), common_);
    in_use_->use(next.digest);
    log::info(
        "settings.loaded",
        {{"file", instance_->settings().file}, {"sha256", next.digest}, {"asked_by", asked_by}});
    return {};
  }

  Result<void> check_databases() const { return service_->check_databases(); }
  Result<void> keep_up() { return service_->keep_up() ? Result<void>() : open_anew(); }

 private:
  // By the settings that are in use, whatever the file says by now.
  Result<void> open_anew() {
    const AtWork at_work("opening the instance anew");
    auto next = std::make_unique<Instance>(instance_->settings());
    next->take_over(*instance_);
    stop_service();
    instance_ = std::move(next);
    TRY(start_service({}));
    log::info("service.opened_anew", {{"why", "the certificate of this RA was renewed"}});
    return {};
  }

  Result<void> start_service(const std::string& digest, const std::string& asked_by = {}) {
    instance_->work_on(scope_of_others(instance_->settings()));
    service_.emplace(*instance_);
    if (!digest.empty() && options_.has("processor")) {
      TRY(note_settings(*instance_, digest, asked_by));
      TRY(end_orphans(*instance_, digest));
    }
    return service_->start(options_);
  }

  // The instance, with its databases closed.
  std::unique_ptr<Instance> stop_service() {
    service_.reset();
    instance_->close_databases();
    return std::move(instance_);
  }

  void refuse(const std::string& digest, const std::vector<std::string>& complaints) {
    std::string all;
    for (const auto& complaint : complaints) {
      log::error("settings.refused", {{"reason", complaint}, {"in_use", "those before"}});
      all += (all.empty() ? "" : "; ") + complaint;
    }
    in_use_->refuse(digest, all);
  }

  const ServeOptions& options_;
  const CommonOptions& common_;
  SystemClock wall_;
  std::unique_ptr<Instance> instance_;
  std::string digest_;  // of its settings
  std::optional<Service> service_;
  std::optional<SettingsInUse> in_use_;
};

Result<ExitCode> serve(const ServeOptions& options, const CommonOptions& common) {
  // Before any thread; and it ends what hangs at the end.
  ASSIGN_OR_RETURN(const auto signals, ProcessSignals::create(Asked::reload));
  const AtWork at_work("the service");
  Serving serving(options, common);
  TRY(serving.start());
  tell_service_manager("READY=1");
  const auto alive = watchdog_interval();
  const auto pause = std::min<Duration>(alive.value_or(kLook), kLook);
  for (;;) {
    const auto asked = signals->wait(pause);
    if (asked == Asked::stop) break;
    if (const auto placed = serving.check_databases(); !placed) end_at_once(placed.error());
    if (asked == Asked::reload) {
      tell_service_manager_of_reload();
      const auto uid = signals->asked_by();
      TRY(serving.reload(uid ? account_of(*uid) : std::string()));
      tell_service_manager("READY=1");
    }
    if (alive) tell_service_manager("WATCHDOG=1");
    TRY(serving.keep_up());
  }
  tell_service_manager("STOPPING=1");
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
      ->check(one_of("stage", {"ingress", "processor", "egress"}));
  command->callback(
      [=] { line.action = [=, common = &line.options] { return serve(*options, *common); }; });
}

}  // namespace cmpost
