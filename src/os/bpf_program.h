#pragma once
// An assembler for the few instructions of eBPF that onset's filters need (the
// kernel's document "BPF Instruction Set"). Pure: the result is words; the tests
// run them in an interpreter.
//
// A program begins with its context in register 1; what it returns is in register
// 0: 1 lets pass, 0 refuses. Branches lead forward only.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/unique_fd.h"

namespace onset {

/// The kernel's struct bpf_insn.
struct BpfInstruction {
  std::uint8_t code = 0;
  std::uint8_t registers = 0;  ///< the lower half: destination, the upper: source
  std::int16_t offset = 0;
  std::int32_t immediate = 0;
  bool operator==(const BpfInstruction&) const = default;
};
static_assert(sizeof(BpfInstruction) == 8);

using BpfProgram = std::vector<BpfInstruction>;

class BpfAssembler {
 public:
  /// A branch whose target comes later: give it to land().
  enum class Branch : std::size_t {};

  void load(unsigned to, unsigned base, int offset);          ///< 32 bits
  void store(unsigned base, int offset, std::int32_t value);  ///< 32 bits
  void add_to(unsigned base, int offset, unsigned from);      ///< 64 bits, atomically
  /// A map of the kernel's, by its descriptor, which need not outlive the loading.
  void load_map(unsigned to, BorrowedFd map);
  void move(unsigned to, unsigned from);
  void set(unsigned to, std::int32_t value);
  void add(unsigned to, std::int32_t value);
  void mask(unsigned to, std::uint32_t bits);  ///< the rest of 64 bits is 0
  void shift_right(unsigned to, unsigned bits);
  void to_big_endian16(unsigned to);
  void call(std::int32_t helper);
  /// Each compares 32 bits, without sign.
  Branch unless_equal(unsigned reg, std::uint32_t value);
  Branch if_equal(unsigned reg, std::uint32_t value);
  Branch if_less(unsigned reg, std::uint32_t value);
  Branch if_greater(unsigned reg, std::uint32_t value);
  Branch if_null(unsigned reg);  ///< of a pointer, all 64 bits
  void land(Branch branch);
  void land(const std::vector<Branch>& branches);
  /// Returns `result`.
  void finish(bool result);

  [[nodiscard]] BpfProgram take() { return std::move(program_); }

 private:
  void put(unsigned code, unsigned to, unsigned from, int offset, std::int32_t immediate);
  Branch branch(unsigned code, unsigned reg, std::uint32_t value);

  BpfProgram program_;
};

}  // namespace onset
