#include "cmp/kem_ciphertext_info.h"

#include "cmp/reading.h"

namespace cmpost {

der::Parsed<KemCiphertextInfo> read_kem_ciphertext_info(ByteView value) {
  constexpr std::size_t kMaxCiphertext = 1 << 16;
  der::Reader reader(value);
  auto info = codec::enclosed(
      reader, der::kSequence, [](der::Reader& at) -> der::Parsed<KemCiphertextInfo> {
        KemCiphertextInfo read;
        ASSIGN_OR_RETURN(read.kem, codec::named("kem", read_algorithm(at)));
        ASSIGN_OR_RETURN(read.ct, codec::named("ct", codec::octets(at, kMaxCiphertext)));
        return read;
      });
  if (info) TRY(reader.finish());
  return info;
}

Bytes encode(const KemCiphertextInfo& info) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    write(writer, info.kem);
    writer.octet_string(info.ct);
  });
  return std::move(writer).take();
}

}  // namespace cmpost
