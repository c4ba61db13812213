// Arrays that stand in for others, one after the other.
#include "call/array_substitution.h"

#include "errors.h"

TEST_SUITE_BEGIN("array_substitution");

TEST_CASE("an array stands in for another until that ends") {
  uint8_t bound[1], other[1], unrelated[1];
  CHECK(gn::substitute_for(bound) == bound);
  const gn::ArraySubstitution substitution{bound, other, 1};
  gn::begin_substitution(substitution);
  CHECK(gn::substitute_for(bound) == other);
  CHECK(gn::substitute_for(const_cast<const uint8_t*>(bound)) == other);
  CHECK(gn::substitute_for(unrelated) == unrelated);
  gn::end_substitution(substitution);
  CHECK(gn::substitute_for(bound) == bound);
}

TEST_CASE("an end that comes late ends nothing that came after") {
  uint8_t bound[1], first[1], second[1];
  gn::begin_substitution({bound, first, 1});
  gn::begin_substitution({bound, second, 2});
  gn::end_substitution({bound, first, 1});
  CHECK(gn::substitute_for(bound) == second);
  gn::end_substitution({bound, second, 2});
  gn::end_substitution({bound, second, 2});
  CHECK(gn::substitute_for(bound) == bound);
}

TEST_SUITE_END();
