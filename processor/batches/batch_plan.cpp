#include "processor/batches/batch_plan.h"

#include <algorithm>
#include <array>
#include <map>

#include "asn1/oid.h"
#include "crypto/keys/running_hash.h"
#include "processor/credentials/name_pattern.h"

namespace cmpost {
namespace {

constexpr std::array<std::string_view, kBatchFindings> kFindings = {
    "good", "missing", "extra", "differs", "duplicate", "same-key", "known", "unreadable"};

// Without what a ZIP has before it.
std::string plain_name(const std::string& file) { return file.substr(file.rfind('/') + 1); }

std::string stem(const std::string& file) {
  const auto name = plain_name(file);
  const auto dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

std::string called(const ManifestRow& row) { return row.file.empty() ? row.name : row.file; }

// Which row a file is for.
class Rows {
 public:
  explicit Rows(const std::vector<ManifestRow>& rows) : rows_(rows), used_(rows.size()) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i].fault.empty()) continue;
      auto& keys = rows[i].file.empty() ? by_name_ : by_file_;
      const auto [at, fresh] = keys.emplace(called(rows[i]), i);
      if (!fresh) twice_[i] = rows_[at->second].line;
    }
    // A device that sends its request under another name is known by its own.
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool named = rows[i].fault.empty() && !rows[i].file.empty() && !rows[i].name.empty();
      if (named && !twice_.contains(i)) by_name_.emplace(rows[i].name, i);
    }
  }

  std::optional<std::size_t> find(const ArrivedRequest& request) const {
    if (const auto found = by_file_.find(request.file); found != by_file_.end()) {
      return found->second;
    }
    if (const auto found = by_file_.find(plain_name(request.file)); found != by_file_.end()) {
      return found->second;
    }
    const auto stem_of_file = stem(request.file);
    if (const auto found = by_name_.find(stem_of_file); found != by_name_.end()) {
      return found->second;
    }
    if (!request.facts) return std::nullopt;
    const auto name = request.facts->subject.first(oid::id_at_commonName);
    const auto found = name ? by_name_.find(*name) : by_name_.end();
    return found == by_name_.end() ? std::nullopt : std::optional(found->second);
  }

  // Which file has it already; empty: none had.
  std::string use(std::size_t row, const std::string& file) {
    if (!used_[row].empty()) return used_[row];
    used_[row] = file;
    return {};
  }

  void add_what_is_left(std::vector<PlannedItem>& items) const {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!used_[i].empty()) continue;
      const auto& row = rows_[i];
      PlannedItem item;
      item.row = row;
      item.finding = BatchFinding::missing;
      item.detail = "no file for it";
      if (const auto twice = twice_.find(i); twice != twice_.end()) {
        item.finding = BatchFinding::duplicate;
        item.detail = "line " + std::to_string(twice->second) + " of the list has it, too";
      } else if (!row.fault.empty()) {
        item.finding = BatchFinding::unreadable;
        item.detail = "line " + std::to_string(row.line) + " of the list: " + row.fault;
      }
      items.push_back(std::move(item));
    }
  }

 private:
  const std::vector<ManifestRow>& rows_;
  std::vector<std::string> used_;
  std::map<std::string, std::size_t> by_file_, by_name_;
  std::map<std::size_t, std::size_t> twice_;
};

struct Suspicion {
  BatchFinding finding;
  std::string detail;
};

class Planning {
 public:
  Planning(const std::vector<ArrivedRequest>& arrived,
           const std::optional<std::vector<ManifestRow>>& list, const std::set<BatchFinding>& take,
           const FindKnown& known)
      : arrived_(arrived),
        has_list_(list),
        take_(take),
        known_(known),
        rows_(list ? *list : none_) {
    for (const auto& one : arrived) {
      if (!one.facts) continue;
      // The same request twice is no second one with its key.
      if (!seen_.insert(one.facts->digest).second) continue;
      for (const auto& key : one.facts->keys) by_key_[key].insert(one.file);
    }
    seen_.clear();
  }

  Result<std::vector<PlannedItem>> items() {
    std::vector<PlannedItem> items;
    for (const auto& one : arrived_) {
      ASSIGN_OR_RETURN(auto item, item_of(one));
      items.push_back(std::move(item));
    }
    rows_.add_what_is_left(items);
    return items;
  }

 private:
  Result<PlannedItem> item_of(const ArrivedRequest& one) {
    PlannedItem item;
    item.file = one.file;
    item.facts = one.facts;
    std::string other;
    if (const auto row = rows_.find(one)) {
      item.row = rows_at(*row);
      other = rows_.use(*row, one.file);
    }
    ASSIGN_OR_RETURN(const auto all, suspicions(one, item, other));
    const auto bad =
        std::ranges::find_if(all, [&](const auto& each) { return !take_.contains(each.finding); });
    item.taken = bad == all.end();
    if (!all.empty()) {
      const auto& said = item.taken ? all.front() : *bad;
      item.finding = said.finding;
      item.detail = said.detail;
    }
    return item;
  }

  // What speaks against it, the worst first.
  Result<std::vector<Suspicion>> suspicions(const ArrivedRequest& one, const PlannedItem& item,
                                            const std::string& other_of_row) {
    using enum BatchFinding;
    std::vector<Suspicion> all;
    if (!one.facts) {
      all.push_back({unreadable, one.fault});
      return all;
    }
    const auto& facts = *one.facts;
    if (const auto twin = twin_of(one); !twin.empty()) all.push_back({duplicate, twin});
    ASSIGN_OR_RETURN(const auto where, known_(facts));
    if (where) all.push_back({known, *where});
    if (!other_of_row.empty()) {
      all.push_back({duplicate, "its row of the list has the file " + other_of_row + " already"});
    }
    if (has_list_ && !item.row) all.push_back({extra, "the list does not have it"});
    if (item.row && !item.row->subject.empty()) {
      const auto pattern = SubjectPattern::parse(item.row->subject);
      if (!pattern || !pattern->covers(facts.subject)) {
        all.push_back({differs, "it asks for \"" + facts.subject.text() + "\", and line " +
                                    std::to_string(item.row->line) + " of the list says \"" +
                                    item.row->subject + "\""});
      }
    }
    for (const auto& key : facts.keys) {
      const auto& files = by_key_.at(key);
      if (files.size() < 2) continue;
      const auto& other = *files.begin() == one.file ? *std::next(files.begin()) : *files.begin();
      all.push_back(
          {same_key,
           "its public key is that of " + other +
               (files.size() == 2 ? "" : " and " + std::to_string(files.size() - 2) + " more")});
      break;
    }
    return all;
  }

  std::string twin_of(const ArrivedRequest& one) {
    const auto& facts = *one.facts;
    const auto [same, fresh] = by_digest_.emplace(facts.digest, one.file);
    if (!fresh) return "the same octets as " + same->second;
    if (facts.transactionID.empty()) return {};
    const auto [owner, first] = by_id_.emplace(facts.transactionID, one.file);
    return first ? std::string() : "the transactionID of " + owner->second;
  }

  ManifestRow rows_at(std::size_t index) const { return (*has_list_)[index]; }

  const std::vector<ManifestRow> none_;
  const std::vector<ArrivedRequest>& arrived_;
  const std::optional<std::vector<ManifestRow>>& has_list_;
  const std::set<BatchFinding>& take_;
  const FindKnown& known_;
  Rows rows_;
  std::set<Sha256> seen_;
  std::map<Sha256, std::set<std::string>> by_key_;
  std::map<Sha256, std::string> by_digest_;
  std::map<Bytes, std::string> by_id_;
};

Sha256 digest_of(const std::string& channel, const std::vector<ArrivedRequest>& arrived,
                 const std::optional<std::vector<ManifestRow>>& list,
                 const std::set<BatchFinding>& take) {
  Bytes all;
  const auto add = [&](ByteView part) {
    const auto size = static_cast<std::uint64_t>(part.size());
    for (int shift = 56; shift >= 0; shift -= 8)
      all.push_back(static_cast<std::uint8_t>(size >> shift));
    append(all, part);
  };
  add(view_of(channel));
  std::set<std::pair<std::string, Sha256>> files;  // whatever order they lie in
  for (const auto& one : arrived) files.emplace(one.file, one.digest);
  for (const auto& [file, digest] : files) {
    add(view_of(file));
    add(digest);
  }
  for (const auto finding : take) add(view_of(to_string(finding)));
  if (list) {
    add(view_of("list"));
    for (const auto& row : *list) {
      for (const auto* text : {&row.file, &row.name, &row.serial, &row.mac, &row.subject,
                               &row.profile, &row.note, &row.fault}) {
        add(view_of(*text));
      }
    }
  }
  return sha256(all);
}

}  // namespace

std::string_view to_string(BatchFinding finding) {
  return kFindings[static_cast<std::size_t>(finding)];
}

std::optional<BatchFinding> batch_finding(std::string_view text) {
  const auto found = std::ranges::find(kFindings, text);
  if (found == kFindings.end()) return std::nullopt;
  return static_cast<BatchFinding>(found - kFindings.begin());
}

Result<BatchPlan> plan_batch(const std::string& channel, const std::vector<ArrivedRequest>& arrived,
                             const std::optional<std::vector<ManifestRow>>& list,
                             const std::set<BatchFinding>& take, const FindKnown& known) {
  BatchPlan plan;
  Planning planning(arrived, list, take, known);
  ASSIGN_OR_RETURN(plan.items, planning.items());
  plan.digest = digest_of(channel, arrived, list, take);
  return plan;
}

}  // namespace cmpost
