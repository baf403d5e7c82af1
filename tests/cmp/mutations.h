// Deterministic damage: the same seed gives the same mutations on every machine.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "asn1/der.h"
#include "base/bytes.h"

namespace cmpost {

// std::mt19937_64 is the same everywhere, the distributions of the library are not.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }
  std::uint8_t octet() { return static_cast<std::uint8_t>(engine_()); }

 private:
  std::mt19937_64 engine_;
};

// Damage to the octets as they stand: lengths around it no longer fit.

inline Bytes flip_octets(Bytes der, Chance& chance) {
  for (std::size_t i = 0; i <= chance.below(3); ++i) {
    der[chance.below(der.size())] ^= static_cast<std::uint8_t>(1U << chance.below(8));
  }
  return der;
}
inline Bytes overwrite_octet(Bytes der, Chance& chance) {
  der[chance.below(der.size())] = chance.octet();
  return der;
}
inline Bytes insert_octets(Bytes der, Chance& chance) {
  const auto at = der.begin() + static_cast<std::ptrdiff_t>(chance.below(der.size() + 1));
  der.insert(at, 1 + chance.below(4), chance.octet());
  return der;
}
inline Bytes delete_octets(Bytes der, Chance& chance) {
  const std::size_t at = chance.below(der.size());
  const std::size_t count = std::min(1 + chance.below(4), der.size() - at);
  const auto first = der.begin() + static_cast<std::ptrdiff_t>(at);
  der.erase(first, first + static_cast<std::ptrdiff_t>(count));
  return der;
}
inline Bytes truncate(Bytes der, Chance& chance) {
  der.resize(chance.below(der.size()));
  return der;
}

// Damage to the elements, with all lengths made right again.

struct Node {
  der::Tag tag = 0;
  Bytes content;  // of a primitive element
  std::vector<Node> children;
};

inline std::vector<Node> parse_nodes(der::Reader reader) {
  std::vector<Node> nodes;
  while (!reader.at_end()) {
    const auto element = reader.any();
    if (!element) return {};
    Node node{element->tag, {}, {}};
    if ((element->tag & 0x20) != 0) node.children = parse_nodes(reader.inside(*element));
    if (node.children.empty()) node.content = to_bytes(element->content);
    nodes.push_back(std::move(node));
  }
  return nodes;
}

inline void write_node(der::Writer& writer, const Node& node) {
  if (node.children.empty()) return writer.primitive(node.tag, node.content);
  writer.constructed(node.tag, [&] {
    for (const auto& child : node.children) write_node(writer, child);
  });
}

inline void collect(Node& node, std::vector<Node*>& all) {
  all.push_back(&node);
  for (auto& child : node.children) collect(child, all);
}

inline void change_tag(Node& node, Chance& chance) {
  static constexpr der::Tag kTags[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13,
                                       0x16, 0x17, 0x18, 0x30, 0x31, 0x80, 0x81, 0x82,
                                       0x84, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa8};
  node.tag = kTags[chance.below(std::size(kTags))];
}

inline void change_content(Node& node, Chance& chance) {
  node.children.clear();
  node.content.resize(chance.below(12));
  for (auto& octet : node.content) octet = chance.octet();
}

// One of: empty it, change its tag, other content, a child removed, doubled or moved.
inline Bytes damage_element(const Bytes& der, Chance& chance) {
  auto nodes = parse_nodes(der::Reader(der));
  std::vector<Node*> all;
  for (auto& node : nodes) collect(node, all);
  Node& node = *all[chance.below(all.size())];
  const std::size_t child = node.children.empty() ? 0 : chance.below(node.children.size());
  const auto position = node.children.begin() + static_cast<std::ptrdiff_t>(child);
  switch (node.children.empty() ? chance.below(3) : chance.below(6)) {
    case 0:
      node.children.clear();
      node.content.clear();
      break;
    case 1:
      change_tag(node, chance);
      break;
    case 2:
      change_content(node, chance);
      break;
    case 3:
      node.children.erase(position);
      break;
    case 4:
      node.children.insert(position, Node(node.children[child]));
      break;
    default:
      std::swap(node.children[child], node.children[chance.below(node.children.size())]);
  }
  der::Writer writer;
  for (const auto& top : nodes) write_node(writer, top);
  return std::move(writer).take();
}

inline Bytes mutate(const Bytes& der, Chance& chance) {
  switch (chance.below(10)) {
    case 0:
      return flip_octets(der, chance);
    case 1:
      return overwrite_octet(der, chance);
    case 2:
      return insert_octets(der, chance);
    case 3:
      return delete_octets(der, chance);
    case 4:
      return truncate(der, chance);
    default:
      return damage_element(der, chance);
  }
}

}  // namespace cmpost
