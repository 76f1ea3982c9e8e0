#pragma once
// From a member pointer to the member of a unit, whichever of the unit's
// structs has it. Writing makes the sparse struct on first use; reading one
// that is not there gives the defaults.

#include <memory>

#include "unit/unit.h"

namespace onset {

template <class Config>
const Config& defaults_of() {
  static const Config config;
  return config;
}

template <class Config>
struct ConfigHome;

template <>
struct ConfigHome<UnitConfig> {
  static UnitConfig& of(Unit& u) { return u.config; }
  static const UnitConfig& peek(const Unit& u) { return u.config; }
};

/// Of the structs that a unit owns only if it has use for them.
template <class Config, std::unique_ptr<Config> Unit::*Owner>
struct SparseHome {
  static Config& of(Unit& u) {
    if (!(u.*Owner)) u.*Owner = std::make_unique<Config>();
    return *(u.*Owner);
  }
  static const Config& peek(const Unit& u) {
    return u.*Owner ? *(u.*Owner) : defaults_of<Config>();
  }
};
template <>
struct ConfigHome<InstallConfig> : SparseHome<InstallConfig, &Unit::install> {};
template <>
struct ConfigHome<ExecConfig> : SparseHome<ExecConfig, &Unit::exec> {};
template <>
struct ConfigHome<KillConfig> : SparseHome<KillConfig, &Unit::kill> {};
template <>
struct ConfigHome<CgroupConfig> : SparseHome<CgroupConfig, &Unit::cgroup> {};
template <>
struct ConfigHome<SchedulingConfig> : SparseHome<SchedulingConfig, &Unit::scheduling> {};
template <>
struct ConfigHome<ResourceConfig> : SparseHome<ResourceConfig, &Unit::resource> {};
template <>
struct ConfigHome<ServiceConfig> : SparseHome<ServiceConfig, &Unit::service> {};
template <>
struct ConfigHome<SocketConfig> : SparseHome<SocketConfig, &Unit::socket> {};
template <>
struct ConfigHome<ScopeConfig> : SparseHome<ScopeConfig, &Unit::scope> {};
template <>
struct ConfigHome<MountConfig> : SparseHome<MountConfig, &Unit::mount> {};
template <>
struct ConfigHome<SwapConfig> : SparseHome<SwapConfig, &Unit::swap> {};
template <>
struct ConfigHome<AutomountConfig> : SparseHome<AutomountConfig, &Unit::automount> {};
template <>
struct ConfigHome<SliceConfig> : SparseHome<SliceConfig, &Unit::slice> {};

template <class Pointer>
struct MemberPointer;
template <class C, class T>
struct MemberPointer<T C::*> {
  using Config = C;
  using Type = T;
};

template <class Config>
Config& config_of(Unit& unit) {
  return ConfigHome<Config>::of(unit);
}
template <class Config>
const Config& config_of(const Unit& unit) {
  return ConfigHome<Config>::peek(unit);
}

template <auto Member>
auto& member_of(Unit& unit) {
  return config_of<typename MemberPointer<decltype(Member)>::Config>(unit).*Member;
}
template <auto Member>
const auto& member_of(const Unit& unit) {
  return config_of<typename MemberPointer<decltype(Member)>::Config>(unit).*Member;
}

}  // namespace onset
