// PKIHeader and what it shares with the bodies.
#include "cmp/writing.h"

namespace cmpost::codec {

void write_free_text(Writer& writer, const PKIFreeText& text) {
  list(writer, text, [&](const std::string& line) { writer.utf8_string(line); });
}

void write_optional_free_text(Writer& writer, const PKIFreeText& text) {
  if (text.present()) write_free_text(writer, text);
}

void write_info(Writer& writer, const InfoTypeAndValue& info) {
  writer.constructed(der::kSequence, [&] {
    writer.object_identifier(info.infoType);
    if (info.infoValue) writer.raw(*info.infoValue);
  });
}

namespace {

void optional_octets(Writer& writer, unsigned number, const std::optional<Bytes>& octets) {
  if (octets) explicitly(writer, number, [&] { writer.octet_string(*octets); });
}

void write_remarks(Writer& writer, const PKIHeader& header) {
  if (header.freeText.present()) {
    explicitly(writer, 7, [&] { write_free_text(writer, header.freeText); });
  }
  if (header.generalInfo.present()) {
    explicitly(writer, 8, [&] {
      list(writer, header.generalInfo, [&](const auto& info) { write_info(writer, info); });
    });
  }
}

}  // namespace

void write_header(Writer& writer, const PKIHeader& header) {
  writer.constructed(der::kSequence, [&] {
    writer.integer(header.pvno);
    write_general_name(writer, header.sender);
    write_general_name(writer, header.recipient);
    if (header.messageTime) explicitly(writer, 0, [&] { write_time(writer, *header.messageTime); });
    if (header.protectionAlg) explicitly(writer, 1, [&] { write(writer, *header.protectionAlg); });
    optional_octets(writer, 2, header.senderKID);
    optional_octets(writer, 3, header.recipKID);
    optional_octets(writer, 4, header.transactionID);
    optional_octets(writer, 5, header.senderNonce);
    optional_octets(writer, 6, header.recipNonce);
    write_remarks(writer, header);
  });
}

}  // namespace cmpost::codec
