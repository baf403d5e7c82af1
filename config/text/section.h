// Reading one table of the settings file: typed values out, complaints aside.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "config/text/complaint.h"
#include "config/text/document.h"
#include "config/text/named_file.h"

namespace cmpost {

// What reading a file gathers beside the values.
struct Reading {
  std::string file;
  std::string directory;
  Complaints complaints;
  std::vector<NamedFile> files;

  void complain(Position at, std::string message, std::string hint = {});
};

template <typename T>
struct Range {
  T least;
  T most;
};

// A word of the file and what it stands for.
template <typename E>
struct Word {
  std::string_view word;
  E meaning;
};

// Every getter names a key that is known here, and answers with the fallback when the key is absent
// or wrong (then after a complaint), so that reading goes on and finds all mistakes in one go.
// finish() complains about the keys that no getter has named.
class Section {
 public:
  // `where` is for messages: "[ca]", "channel 'drop'"; empty for the file's top table.
  Section(const Value& table, std::string where, Reading& reading);

  Position at() const { return table_.at; }
  Position at(std::string_view key) const;  // of its value; of the table when it is absent
  bool has(std::string_view key) const { return table_.find(key) != nullptr; }
  // Marks the key as known.
  const Value* find(std::string_view key);
  std::string where() const { return where_.empty() ? "the file" : where_; }
  void complain(std::string_view key, std::string message, std::string hint = {});
  // Makes one complaint when the key is absent.
  void require(std::string_view key, std::string hint = {});

  std::string text(std::string_view key, std::string fallback = {});
  // 1 to 64 of A-Z a-z 0-9 . _ - (names stand in file names, logs and Message-IDs).
  std::string name(std::string_view key);
  std::vector<std::string> texts(std::string_view key, std::vector<std::string> fallback = {});
  // As texts(), with each item's position.
  std::vector<const Value*> items(std::string_view key, Value::Kind kind = Value::Kind::text);
  bool flag(std::string_view key, bool fallback);
  std::int64_t integer(std::string_view key, std::int64_t fallback, Range<std::int64_t> range);
  Duration duration(std::string_view key, Duration fallback, Range<Duration> range);
  std::size_t size(std::string_view key, std::size_t fallback, Range<std::size_t> range);
  // Absolute; empty when absent. The file is noted for check_files().
  std::string path(std::string_view key, NamedFile::Use use);
  std::vector<std::string> paths(std::string_view key, NamedFile::Use use);
  // A path, or a "pkcs11:" URI as it is.
  std::string key_reference(std::string_view key);
  // An inner table; an empty one when absent.
  Section table(std::string_view key);

  template <typename E, std::size_t N>
  E choice(std::string_view key, E fallback, const std::array<Word<E>, N>& words) {
    const auto* value = expect(key, Value::Kind::text);
    if (value == nullptr) return fallback;
    std::vector<std::string> known;
    for (const auto& word : words) {
      if (word.word == value->text) return word.meaning;
      known.emplace_back(word.word);
    }
    complain_about_word(*value, key, known);
    return fallback;
  }

  void finish();
  const std::vector<Value::Member>& members() const { return table_.members; }
  Reading& reading() { return reading_; }

 private:
  const Value* expect(std::string_view key, Value::Kind kind);
  void complain_about_word(const Value& value, std::string_view key,
                           const std::vector<std::string>& known);
  std::string resolve(const Value& value, std::string_view key, NamedFile::Use use);
  std::string key_of(std::string_view key) const;

  const Value& table_;
  std::string where_;
  Reading& reading_;
  std::vector<std::string> known_;
};

}  // namespace cmpost
