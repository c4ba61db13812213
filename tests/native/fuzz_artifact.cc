// What a fuzzer calls: reads the bytes as an artifact and checks its programs, as a node does before it runs one.
#include <cstddef>
#include <cstdint>

#include "artifact/artifact.h"
#include "model/content_hash.h"
#include "support/errors.h"

// How many programs were right in all that is checked, so that one can see that the mutations get so far.
long programs_verified = 0;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto artifact = gn::read_artifact(data, size, gn::content_hash(data, size));
    for (size_t i = 0; i < artifact->programs.size(); ++i) {
      try {
        gn::verify_payload(*artifact, i, data);
      } catch (const gn::ArtifactError&) {
        continue;
      }
      ++programs_verified;
      // What is right so far is used without another look.
      const gn::Program& program = *artifact->programs[i];
      volatile uint8_t sum = 0;
      for (size_t at = 0; at < program.payload.size; ++at) sum = static_cast<uint8_t>(sum + data[program.payload.offset + at]);
      for (const gn::WeightUse& use : program.weights) {
        for (size_t position : use.positions)
          sum = static_cast<uint8_t>(sum + data[program.payload.offset + program.xml.offset + position + 20]);
        sum = static_cast<uint8_t>(sum + program.inputs[use.input].spec.nbytes());
      }
      for (const gn::LiteralUse& use : program.literal_uses) {
        for (size_t at = 0; at < use.nbytes; ++at) {
          sum = static_cast<uint8_t>(sum + data[program.payload.offset + program.literals.offset + use.offset + at]);
        }
      }
      program.fits({});
      for (const gn::Spec& spec : program.outputs) spec.part(program.parts);
    }
  } catch (const gn::ArtifactError&) {
    return 0;
  }
  return 0;
}
