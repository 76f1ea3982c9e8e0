#include "os/bpf_program.h"

#include <linux/bpf.h>

namespace onset {

void BpfAssembler::put(unsigned code, unsigned to, unsigned from, int offset,
                       std::int32_t immediate) {
  program_.push_back({static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(to | from << 4U),
                      static_cast<std::int16_t>(offset), immediate});
}

void BpfAssembler::load(unsigned to, unsigned base, int offset) {
  put(BPF_LDX | BPF_MEM | BPF_W, to, base, offset, 0);
}

void BpfAssembler::store(unsigned base, int offset, std::int32_t value) {
  put(BPF_ST | BPF_MEM | BPF_W, base, 0, offset, value);
}

void BpfAssembler::add_to(unsigned base, int offset, unsigned from) {
  constexpr unsigned kAtomic = 0xc0;  // BPF_XADD until Linux 5.12
  put(BPF_STX | kAtomic | BPF_DW, base, from, offset, BPF_ADD);
}

void BpfAssembler::load_map(unsigned to, BorrowedFd map) {
  put(BPF_LD | BPF_IMM | BPF_DW, to, BPF_PSEUDO_MAP_FD, 0, map.get());
  put(0, 0, 0, 0, 0);  // the upper half
}

void BpfAssembler::move(unsigned to, unsigned from) {
  put(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

void BpfAssembler::set(unsigned to, std::int32_t value) {
  put(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}

void BpfAssembler::add(unsigned to, std::int32_t value) {
  put(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value);
}

void BpfAssembler::mask(unsigned to, std::uint32_t bits) {
  put(BPF_ALU | BPF_AND | BPF_K, to, 0, 0, static_cast<std::int32_t>(bits));
}

void BpfAssembler::shift_right(unsigned to, unsigned bits) {
  put(BPF_ALU64 | BPF_RSH | BPF_K, to, 0, 0, static_cast<std::int32_t>(bits));
}

void BpfAssembler::to_big_endian16(unsigned to) {
  put(BPF_ALU | BPF_END | BPF_TO_BE, to, 0, 0, 16);
}

void BpfAssembler::call(std::int32_t helper) {
  put(BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

BpfAssembler::Branch BpfAssembler::branch(unsigned code, unsigned reg, std::uint32_t value) {
  put(BPF_JMP32 | code | BPF_K, reg, 0, 0, static_cast<std::int32_t>(value));
  return static_cast<Branch>(program_.size() - 1);
}

BpfAssembler::Branch BpfAssembler::unless_equal(unsigned reg, std::uint32_t value) {
  return branch(BPF_JNE, reg, value);
}

BpfAssembler::Branch BpfAssembler::if_null(unsigned reg) {
  put(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, 0, 0);
  return static_cast<Branch>(program_.size() - 1);
}

BpfAssembler::Branch BpfAssembler::if_equal(unsigned reg, std::uint32_t value) {
  return branch(BPF_JEQ, reg, value);
}

BpfAssembler::Branch BpfAssembler::if_less(unsigned reg, std::uint32_t value) {
  return branch(BPF_JLT, reg, value);
}

BpfAssembler::Branch BpfAssembler::if_greater(unsigned reg, std::uint32_t value) {
  return branch(BPF_JGT, reg, value);
}

void BpfAssembler::land(Branch branch) {
  const auto at = static_cast<std::size_t>(branch);
  program_[at].offset = static_cast<std::int16_t>(program_.size() - at - 1);
}

void BpfAssembler::land(const std::vector<Branch>& branches) {
  for (const Branch one : branches) land(one);
}

void BpfAssembler::finish(bool result) {
  set(0, result ? 1 : 0);
  put(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

}  // namespace onset
