#include "mime/extended_parameters.h"

#include <map>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "mime/charset.h"
#include "mime/text.h"

namespace cmpost {

namespace {

constexpr std::size_t kMostPieces = 100;

// "filename*12*": base name, number of the piece, whether its value is percent-encoded.
struct PieceName {
  std::string base;
  std::optional<std::size_t> number;  // none: "filename*" or a plain "filename"
  bool encoded = false;
  bool extended = false;
};

std::optional<PieceName> read_piece_name(std::string_view name) {
  PieceName piece;
  const auto star = name.find('*');
  piece.base = name.substr(0, star);
  if (star == name.npos) return piece;
  piece.extended = true;
  auto rest = name.substr(star + 1);
  piece.encoded = rest.empty() || rest.ends_with('*');
  if (rest.empty()) return piece;
  if (piece.encoded) rest.remove_suffix(1);
  // RFC 2231 3: no leading zeroes.
  if (rest.empty() || rest.size() > 2 || (rest.size() == 2 && rest[0] == '0')) return std::nullopt;
  std::size_t number = 0;
  for (const char c : rest) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::size_t>(c - '0');
  }
  piece.number = number;
  return piece;
}

std::optional<std::string> from_percent(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      octets.push_back(text[i]);
      continue;
    }
    const auto octet = from_hex(text.substr(i + 1, 2));
    if (!octet || octet->size() != 1) return std::nullopt;
    octets.push_back(static_cast<char>(octet->front()));
    i += 2;
  }
  return octets;
}

struct Piece {
  std::string value;
  bool encoded = false;
};
using Pieces = std::map<std::size_t, Piece>;

// RFC 2231 4: charset'language'text, in the first piece only.
Result<std::string> take_charset(Piece& first) {
  const auto quote = first.value.find('\'');
  const auto second = quote == first.value.npos ? quote : first.value.find('\'', quote + 1);
  if (second == first.value.npos) return hold("has an encoded parameter without a character set");
  std::string charset = first.value.substr(0, quote);
  first.value.erase(0, second + 1);
  return charset;
}

Result<std::string> joined_pieces(Pieces pieces) {
  if (pieces.rbegin()->first + 1 != pieces.size())
    return hold("has a parameter with a piece missing");
  std::string charset;
  if (pieces.begin()->second.encoded) {
    ASSIGN_OR_RETURN(charset, take_charset(pieces.begin()->second));
  }
  std::string octets;
  for (const auto& [number, piece] : pieces) {
    const auto decoded = piece.encoded ? from_percent(piece.value) : piece.value;
    if (!decoded) return hold("has a parameter that is wrongly encoded");
    octets += *decoded;
  }
  return to_utf8(charset, octets);
}

// A parameter that is there twice and says the same is read by everybody in the same way.
Result<void> add_piece(Pieces& pieces, std::size_t number, Piece piece) {
  const auto [place, is_new] = pieces.try_emplace(number, piece);
  const auto& known = place->second;
  if (!is_new && (known.value != piece.value || known.encoded != piece.encoded)) {
    return hold("has a parameter twice");
  }
  if (pieces.size() > kMostPieces) return hold("has a parameter in too many pieces");
  return {};
}

}  // namespace

Result<std::vector<Parameter>> joined_parameters(std::vector<Parameter> raw) {
  std::map<std::string, Pieces> plain;
  std::map<std::string, Pieces> extended;   // "name*"
  std::map<std::string, Pieces> continued;  // "name*0"
  for (auto& parameter : raw) {
    auto name = read_piece_name(parameter.name);
    if (!name || name->base.empty()) return hold("has a parameter with an odd name");
    auto& group = !name->extended ? plain : name->number ? continued : extended;
    TRY(add_piece(group[name->base], name->number.value_or(0),
                  Piece{std::move(parameter.value), name->encoded}));
  }
  std::vector<Parameter> joined;
  for (auto& [name, pieces] : plain) {
    joined.push_back({name, std::move(pieces.begin()->second.value), false});
  }
  for (auto* group : {&extended, &continued}) {
    for (auto& [name, pieces] : *group) {
      if (group == &continued && extended.contains(name)) return hold("has a parameter twice");
      ASSIGN_OR_RETURN(auto value, joined_pieces(std::move(pieces)));
      joined.push_back({name, std::move(value), true});
    }
  }
  return joined;
}

}  // namespace cmpost
