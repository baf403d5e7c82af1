#include "app/channels.h"

#include "app/bounces.h"
#include "base/files.h"
#include "mail/mail_egress.h"
#include "mail/mail_ingress.h"
#include "mail/open_mail_source.h"
#include "outbox/directory_egress.h"
#include "outbox/media_egress.h"
#include "outbox/one_way_egress.h"
#include "sftp/sftp_egress.h"
#include "sftp/sftp_ingress.h"
#include "watcher/directory_ingress.h"
#include "watcher/media/media_ingress.h"
#include "watcher/media/one_way_ingress.h"

namespace cmpost {
namespace {

Result<std::unique_ptr<Ingress>> make_mail_ingress(Instance& instance,
                                                   const ChannelSettings& channel, Spool& spool,
                                                   const Clock& steady) {
  ASSIGN_OR_RETURN(auto source,
                   open_mail_source(channel.mail, taken_file(channel), &instance.sure_clock()));
  ASSIGN_OR_RETURN(const auto key, bounce_key(instance));
  const auto bounced = [&replies = spool.replies(), key, name = channel.name](
                           const DeliveryReport& report, const Bytes& mail) {
    return note_bounce(replies, name, key, report, mail);
  };
  ASSIGN_OR_RETURN(auto smime, of_settings(SmimeOpener::load(channel.mail.smime, instance.clock(),
                                                             channel.crls)));
  return std::make_unique<MailIngress>(channel, std::move(source), spool.requests(), steady,
                                       bounced, std::move(smime));
}

std::unique_ptr<Ingress> make_directory_ingress(Instance& instance, const ChannelSettings& channel,
                                                Spool& spool, const Clock& steady) {
  auto& requests = spool.requests();
  const auto& wall = instance.clock();
  if (channel.directory.one_way_in) {
    return std::make_unique<OneWayIngress>(channel, requests, instance.likely_clock(), steady);
  }
  const auto& sure = instance.sure_clock();
  if (channel.directory.media) {
    return std::make_unique<MediaIngress>(channel, requests, sure, steady, instance.random());
  }
  return std::make_unique<DirectoryIngress>(channel, requests, wall, steady, &sure);
}

std::unique_ptr<Egress> make_directory_egress(Instance& instance, const ChannelSettings& channel,
                                              Spool& spool) {
  if (channel.directory.one_way_out) {
    return std::make_unique<OneWayEgress>(channel, spool.replies(), instance.likely_clock(),
                                          instance.random(), &instance.sure_clock());
  }
  if (channel.directory.media) {
    return std::make_unique<MediaEgress>(channel, under_way_in(spool.replies()));
  }
  return std::make_unique<DirectoryEgress>(channel, under_way_in(spool.replies()));
}

Result<std::unique_ptr<Ingress>> make_ingress(Instance& instance, const ChannelSettings& channel,
                                              Spool& spool, const Clock& steady) {
  switch (channel.kind) {
    case ChannelKind::directory:
      return make_directory_ingress(instance, channel, spool, steady);
    case ChannelKind::mail:
      return make_mail_ingress(instance, channel, spool, steady);
    case ChannelKind::sftp:
      return std::make_unique<SftpIngress>(channel, spool.requests(), instance.clock(), steady);
  }
  CHECK(false);
}

Result<std::unique_ptr<Egress>> make_mail_egress(Instance& instance,
                                                 const ChannelSettings& channel) {
  ASSIGN_OR_RETURN(auto key, bounce_key(instance));
  ASSIGN_OR_RETURN(auto signer, of_settings(AnswerSigner::load(channel.mail.smime)));
  return std::make_unique<MailEgress>(channel.name, channel.mail, instance.settings().instance.name,
                                      std::move(key), instance.sure_clock(), std::move(signer));
}

Result<std::unique_ptr<Egress>> make_egress(Instance& instance, const ChannelSettings& channel,
                                            Spool& spool, const Clock& steady) {
  switch (channel.kind) {
    case ChannelKind::directory:
      return make_directory_egress(instance, channel, spool);
    case ChannelKind::mail:
      return make_mail_egress(instance, channel);
    case ChannelKind::sftp:
      return std::make_unique<SftpEgress>(channel, steady, SftpDial{},
                                          under_way_in(spool.replies()));
  }
  CHECK(false);
}

}  // namespace

Result<std::vector<std::unique_ptr<Ingress>>> make_ingresses(Instance& instance, Spool& spool,
                                                             const Clock& steady) {
  std::vector<std::unique_ptr<Ingress>> ingresses;
  for (const auto& channel : instance.settings().channels) {
    ASSIGN_OR_RETURN(auto ingress, make_ingress(instance, channel, spool, steady));
    ingresses.push_back(std::move(ingress));
  }
  return ingresses;
}

Result<std::vector<std::unique_ptr<Egress>>> make_egresses(Instance& instance,
                                                           const Clock& steady) {
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  std::vector<std::unique_ptr<Egress>> egresses;
  for (const auto& channel : instance.settings().channels) {
    ASSIGN_OR_RETURN(auto egress, make_egress(instance, channel, *spool, steady));
    egresses.push_back(std::move(egress));
  }
  return egresses;
}

ProcessorSettings settings_for(std::size_t workers, WayBook& ways) {
  static constexpr Duration kUsualPause = std::chrono::seconds(1);
  const auto tell = [](WayRecorder& record) {
    return [&record](const std::optional<Error>& trouble) {
      trouble ? record.rests(*trouble, kUsualPause) : record.works();
    };
  };
  return {.workers = workers,
          .on_take = tell(ways.of(Part::requests)),
          .on_commit = tell(ways.of(Part::ledger))};
}

}  // namespace cmpost
