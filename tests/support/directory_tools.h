// What tests ask of directories.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

namespace cmpost {

// Names in a directory, hidden ones too.
inline std::set<std::string> names_in(const std::string& path) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

inline std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Written in place, as a careless sender does.
inline void write_in_place(const std::string& path, std::string_view contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

// Written under a hidden name and renamed, as a careful sender does.
inline void write_and_rename(const std::string& directory, const std::string& name,
                             std::string_view contents) {
  write_in_place(directory + "/.sender", contents);
  std::filesystem::rename(directory + "/.sender", directory + "/" + name);
}

}  // namespace cmpost
