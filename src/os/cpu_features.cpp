#include "os/cpu_features.h"

#include <array>
#include <cstdint>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace onset {
namespace {

enum class Register : std::uint8_t { Ebx, Ecx, Edx };

struct Feature {
  std::string_view name;
  std::uint32_t leaf;
  Register where;
  unsigned bit;
};

// Intel SDM vol. 2A, CPUID; AMD64 manual vol. 3, appendix E.
constexpr std::array<Feature, 51> kFeatures{{
    {"fpu", 1, Register::Edx, 0},
    {"vme", 1, Register::Edx, 1},
    {"de", 1, Register::Edx, 2},
    {"pse", 1, Register::Edx, 3},
    {"tsc", 1, Register::Edx, 4},
    {"msr", 1, Register::Edx, 5},
    {"pae", 1, Register::Edx, 6},
    {"mce", 1, Register::Edx, 7},
    {"cx8", 1, Register::Edx, 8},
    {"apic", 1, Register::Edx, 9},
    {"sep", 1, Register::Edx, 11},
    {"mtrr", 1, Register::Edx, 12},
    {"pge", 1, Register::Edx, 13},
    {"mca", 1, Register::Edx, 14},
    {"cmov", 1, Register::Edx, 15},
    {"pat", 1, Register::Edx, 16},
    {"pse36", 1, Register::Edx, 17},
    {"clflush", 1, Register::Edx, 19},
    {"mmx", 1, Register::Edx, 23},
    {"fxsr", 1, Register::Edx, 24},
    {"sse", 1, Register::Edx, 25},
    {"sse2", 1, Register::Edx, 26},
    {"ht", 1, Register::Edx, 28},
    {"pni", 1, Register::Ecx, 0},
    {"pclmul", 1, Register::Ecx, 1},
    {"monitor", 1, Register::Ecx, 3},
    {"ssse3", 1, Register::Ecx, 9},
    {"fma3", 1, Register::Ecx, 12},
    {"cx16", 1, Register::Ecx, 13},
    {"sse4_1", 1, Register::Ecx, 19},
    {"sse4_2", 1, Register::Ecx, 20},
    {"movbe", 1, Register::Ecx, 22},
    {"popcnt", 1, Register::Ecx, 23},
    {"aes", 1, Register::Ecx, 25},
    {"xsave", 1, Register::Ecx, 26},
    {"osxsave", 1, Register::Ecx, 27},
    {"avx", 1, Register::Ecx, 28},
    {"f16c", 1, Register::Ecx, 29},
    {"rdrand", 1, Register::Ecx, 30},
    {"bmi1", 7, Register::Ebx, 3},
    {"avx2", 7, Register::Ebx, 5},
    {"bmi2", 7, Register::Ebx, 8},
    {"rdseed", 7, Register::Ebx, 18},
    {"adx", 7, Register::Ebx, 19},
    {"sha_ni", 7, Register::Ebx, 29},
    {"syscall", 0x80000001U, Register::Edx, 11},
    {"rdtscp", 0x80000001U, Register::Edx, 27},
    {"lm", 0x80000001U, Register::Edx, 29},
    {"lahf_lm", 0x80000001U, Register::Ecx, 0},
    {"abm", 0x80000001U, Register::Ecx, 5},
    {"constant_tsc", 0x80000007U, Register::Edx, 8},
}};

}  // namespace

bool cpu_has_feature([[maybe_unused]] std::string_view name) {
#if defined(__x86_64__) || defined(__i386__)
  for (const Feature& feature : kFeatures) {
    if (feature.name.empty() || feature.name != name) continue;
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (__get_cpuid_count(feature.leaf, 0, &a, &b, &c, &d) == 0) return false;
    switch (feature.where) {
      case Register::Ebx:
        return ((b >> feature.bit) & 1U) != 0;
      case Register::Ecx:
        return ((c >> feature.bit) & 1U) != 0;
      case Register::Edx:
        return ((d >> feature.bit) & 1U) != 0;
    }
  }
#endif
  return false;
}

}  // namespace onset
