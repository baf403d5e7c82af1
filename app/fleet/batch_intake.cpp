#include "app/fleet/batch_intake.h"

#include "processor/transaction/stored_request.h"
#include "watcher/unwrap.h"

namespace cmpost {
namespace {

struct Opened {
  ArrivedRequest request;
  Bytes message;
};

std::string fault_of(const std::string& reason, const std::string& hint) {
  return hint.empty() ? reason : reason + " (" + hint + ")";
}

Opened open(const std::string& name, Result<Bytes> contents, const ChannelSettings& channel) {
  Opened opened;
  opened.request.file = printable(name);
  if (!contents) {
    opened.request.fault = to_string(contents.error());
    opened.request.digest = sha256(view_of(opened.request.fault));
    return opened;
  }
  opened.request.digest = sha256(*contents);
  auto unwrapped = unwrap(*std::move(contents));
  if (unwrapped.what != Unwrapped::What::message) {
    opened.request.fault = fault_of(unwrapped.reason, unwrapped.hint);
    return opened;
  }
  MessageLimits limits;
  limits.max_message = channel.max_message;
  auto facts = read_request_facts(unwrapped.message, limits);
  if (!facts) {
    opened.request.fault = fault_of(facts.error().what, facts.error().hint);
    return opened;
  }
  opened.request.digest = facts->digest;
  opened.request.facts = *std::move(facts);
  opened.message = std::move(unwrapped.message);
  return opened;
}

}  // namespace

SourceLimits limits_of(const ChannelSettings& channel, const std::string& list) {
  // PEM is larger than what it holds.
  return {.file = 2 * channel.max_message, .list = list};
}

Result<std::vector<ArrivedRequest>> look_through(BatchSource& source,
                                                 const ChannelSettings& channel) {
  std::vector<ArrivedRequest> all;
  TRY(source.for_each([&](const std::string& name, Result<Bytes> contents) -> Result<void> {
    all.push_back(open(name, std::move(contents), channel).request);
    return {};
  }));
  return all;
}

Result<void> read_again(BatchSource& source, const ChannelSettings& channel,
                        const TakeMessage& take) {
  return source.for_each([&](const std::string& name, Result<Bytes> contents) -> Result<void> {
    auto opened = open(name, std::move(contents), channel);
    return take(opened.request.file, opened.request, std::move(opened.message));
  });
}

Result<BatchOctets> octets_to_keep(Instance& instance, const RequestFacts& facts, Bytes message) {
  if (!facts.has_token) return BatchOctets{std::move(message), false};
  ASSIGN_OR_RETURN(const auto* const key, instance.sealing_key());
  StoredMessage stored;
  stored.digest = facts.digest;
  stored.request = std::move(message);
  TRY(seal_request(stored, *key, instance.random()));
  return BatchOctets{std::move(stored.request), true};
}

Result<Bytes> kept_octets(Instance& instance, const BatchRequest& request,
                          const BatchOctets& octets) {
  if (!octets.sealed) return octets.octets;
  ASSIGN_OR_RETURN(const auto* const key, instance.sealing_key());
  StoredMessage stored;
  stored.digest = request.digest;
  stored.request = octets.octets;
  stored.sealed = true;
  return request_in(stored, *key);
}

}  // namespace cmpost
