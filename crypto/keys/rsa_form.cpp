// The numbers of RSA keys. SP 800-89 5.3.3 asks for a modulus without prime factors below 752; that
// its factors are not close is what FIPS 186-5 A.1.3 asks who makes one.
#include <array>
#include <cmath>
#include <vector>

#include "crypto/keys/key_form.h"
#include "crypto/keys/openssl.h"

namespace cmpost {
namespace {

using Limb = std::uint64_t;
constexpr unsigned kPrimesBelow = 752;
constexpr std::size_t kAtOnce = 6;  // groups of primes

__extension__ typedef unsigned __int128 Double;  // -Wpedantic knows no other way to say it

// Little-endian limbs.
std::vector<Limb> limbs_of(ByteView magnitude) {
  std::vector<Limb> limbs((magnitude.size() + 7) / 8);
  for (std::size_t i = 0; i < magnitude.size(); ++i) {
    limbs[i / 8] |= Limb{magnitude[magnitude.size() - 1 - i]} << 8 * (i % 8);
  }
  return limbs;
}

// As many odd primes as one limb has room for, and the inverse of their product modulo 2^64.
struct PrimeGroup {
  Limb product = 1;
  Limb inverse = 1;
  std::vector<unsigned> primes;
};

Limb inverse_of(Limb odd) {
  Limb inverse = odd;  // right in three bits, twice as many with each round
  for (int round = 0; round < 5; ++round) inverse *= 2 - odd * inverse;
  return inverse;
}

bool is_prime(unsigned number) {
  for (unsigned divisor = 3; divisor * divisor <= number; divisor += 2) {
    if (number % divisor == 0) return false;
  }
  return true;
}

std::vector<PrimeGroup> make_groups() {
  std::vector<PrimeGroup> groups(1);
  for (unsigned prime = 3; prime < kPrimesBelow; prime += 2) {
    if (!is_prime(prime)) continue;
    if (groups.back().product > ~Limb{0} / prime) groups.emplace_back();
    groups.back().product *= prime;
    groups.back().primes.push_back(prime);
  }
  while (groups.size() % kAtOnce != 0) groups.emplace_back();  // of no prime
  for (auto& group : groups) group.inverse = inverse_of(group.product);
  return groups;
}

// What is a multiple of a divisor of the group exactly when the number is: the remainder times a
// power of 2^64, which takes multiplications only (Jebelean's exact division, as in GMP). All
// groups go along at once, for one waits for its own products most of the time.
std::array<Limb, kAtOnce> scaled_remainders(const std::vector<Limb>& number,
                                            const PrimeGroup* groups) {
  std::array<Limb, kAtOnce> carries{};
  for (const Limb limb : number) {
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      const Limb quotient = (limb - carries[i]) * groups[i].inverse;
      const Limb borrow = limb < carries[i] ? 1 : 0;
      carries[i] = static_cast<Limb>(Double{quotient} * groups[i].product >> 64) + borrow;
    }
  }
  return carries;
}

BignumPtr number_of(ByteView magnitude) {
  return BignumPtr(BN_bin2bn(magnitude.data(), static_cast<int>(magnitude.size()), nullptr));
}

using BnCtxPtr = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;

BN_CTX* thread_context() {
  thread_local const BnCtxPtr context(BN_CTX_new());
  CHECK(context != nullptr);
  return context.get();
}

// A little more than the square root: half of its bits from the upper half of the number, the other
// half by one step of Newton's method, which stays above.
BignumPtr above_root(const BIGNUM* number) {
  BignumPtr root(BN_new());
  CHECK(root != nullptr);
  const int bits = BN_num_bits(number);
  if (bits <= 62) {
    const double about = std::sqrt(static_cast<double>(BN_get_word(number)));
    CHECK(BN_set_word(root.get(), static_cast<Limb>(about) + 2) == 1);
    return root;
  }
  const int shift = bits / 4 - 2;
  const BignumPtr top(BN_new());
  CHECK(top && BN_rshift(top.get(), number, 2 * shift) == 1);
  const BignumPtr first = above_root(top.get());
  CHECK(BN_add_word(first.get(), 1) == 1 && BN_lshift(first.get(), first.get(), shift) == 1 &&
        BN_div(root.get(), nullptr, number, first.get(), thread_context()) == 1 &&
        BN_add(root.get(), root.get(), first.get()) == 1 &&
        BN_rshift1(root.get(), root.get()) == 1 && BN_add_word(root.get(), 1) == 1);
  return root;
}

struct Root {
  BignumPtr root, square;
};

// The largest number whose square is not above `number`.
Root root_of(const BIGNUM* number) {
  Root found{above_root(number), BignumPtr(BN_new())};
  CHECK(found.square != nullptr);
  while (true) {
    CHECK(BN_sqr(found.square.get(), found.root.get(), thread_context()) == 1);
    if (BN_cmp(found.square.get(), number) <= 0) return found;
    CHECK(BN_sub_word(found.root.get(), 1) == 1);
  }
}

// Of the numbers 1 in 5 passes, of the squares all.
bool may_be_square(const BIGNUM* number) {
  unsigned low = 0;
  for (int bit = 0; bit < 6; ++bit) {
    low |= BN_is_bit_set(number, bit) == 1 ? 1U << static_cast<unsigned>(bit) : 0U;
  }
  for (unsigned root = 0; root < 32; ++root) {
    if (root * root % 64 == low) return true;
  }
  return false;
}

bool is_square(const BIGNUM* number) {
  return may_be_square(number) && BN_cmp(root_of(number).square.get(), number) == 0;
}

}  // namespace

std::optional<unsigned> small_prime_factor(ByteView modulus) {
  static const auto groups = make_groups();
  const auto number = limbs_of(modulus);
  for (std::size_t first = 0; first < groups.size(); first += kAtOnce) {
    const auto rests = scaled_remainders(number, groups.data() + first);
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      for (const unsigned prime : groups[first + i].primes) {
        if (rests[i] % prime == 0) return prime;
      }
    }
  }
  return std::nullopt;
}

// Fermat: n = a^2 - b^2 = (a - b)(a + b), tried for the first a that is large enough.
bool has_close_factors(ByteView modulus) {
  const auto number = number_of(modulus);
  CHECK(number != nullptr);
  const Root below = root_of(number.get());
  if (BN_cmp(below.square.get(), number.get()) == 0) return true;
  const BignumPtr difference(BN_new());
  // (root + 1)^2 - n
  CHECK(difference && BN_lshift1(difference.get(), below.root.get()) == 1 &&
        BN_add_word(difference.get(), 1) == 1 &&
        BN_add(difference.get(), difference.get(), below.square.get()) == 1 &&
        BN_sub(difference.get(), difference.get(), number.get()) == 1);
  return is_square(difference.get());
}

}  // namespace cmpost
