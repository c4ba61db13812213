// SHA-256 and CRC-32 by their published values, and what is remembered of them.
#include "artifact/checksums.h"

#include <vector>

#include "errors.h"
#include "support/stats.h"

using gn::Digest;
using gn::sha256_hex;

namespace {

const uint8_t* bytes(const std::string& text) { return reinterpret_cast<const uint8_t*>(text.data()); }

std::string sha(const std::string& text) { return sha256_hex(bytes(text), text.size()); }

}  // namespace

TEST_SUITE_BEGIN("checksums");

TEST_CASE("SHA-256's published values") {
  CHECK(sha256_hex(nullptr, 0) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("lengths around the end of a block") {
  CHECK(sha(std::string(55, 'a')) == "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  CHECK(sha(std::string(56, 'a')) == "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  CHECK(sha(std::string(64, 'a')) == "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

TEST_CASE("CRC-32's published value") {
  CHECK(gn::crc32(bytes("123456789"), 9) == 0xcbf43926);
  CHECK(gn::crc32(nullptr, 0) == 0);
}

TEST_CASE("a part is digested once, for what it is a part of") {
  const std::string one(1000, 'x'), other(1000, 'y');
  const Digest whole{11, 12};
  const auto digested = [&](Digest of, size_t offset, const std::string& text) {
    const uint64_t before = gn::stats().bytes_digested;
    CHECK(gn::sha256_of_part(of, offset, bytes(text), text.size()) == sha(text));
    return gn::stats().bytes_digested - before - text.size();  // without that of the comparison
  };
  CHECK(digested(whole, 0, one) == 1000);
  CHECK(digested(whole, 0, one) == 0);
  CHECK(digested(whole, 64, other) == 1000);
  CHECK(digested({11, 13}, 0, other) == 1000);
  CHECK(digested({10, 12}, 0, one) == 1000);
  CHECK(digested(whole, 0, one.substr(1)) == 999);
  CHECK(digested(whole, 0, one) == 0);
}

TEST_CASE("what is remembered has a bound") {
  const std::string text = "some";
  for (uint64_t i = 0; i < 5000; ++i) gn::sha256_of_part({i, 77}, 0, bytes(text), text.size());
  const uint64_t before = gn::stats().bytes_digested;
  gn::sha256_of_part({4999, 77}, 0, bytes(text), text.size());
  CHECK(gn::stats().bytes_digested == before);
  gn::sha256_of_part({0, 77}, 0, bytes(text), text.size());
  CHECK(gn::stats().bytes_digested == before + text.size());
}

TEST_SUITE_END();
