// systemd.exec(5): what keeps a unit's processes away from the rest of the
// machine, and the exec settings that onset does not honour yet. A sandbox
// setting that is wrong fails the unit: what was meant to be shut stays shut.

#include "unit/directive_checks.h"
#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"

namespace onset {
namespace {

constexpr Section S = Section::Service;

constexpr std::string_view kProtectSystem[] = {"full", "strict"};
constexpr std::string_view kProtectHome[] = {"read-only", "tmpfs"};
constexpr std::string_view kProtectProc[] = {"default", "noaccess", "invisible", "ptraceable"};
constexpr std::string_view kProcSubset[] = {"all", "pid"};
constexpr std::string_view kKeyringMode[] = {"inherit", "private", "shared"};
constexpr std::string_view kUtmpMode[] = {"init", "login", "user"};
constexpr std::string_view kMountFlags[] = {"shared", "slave", "private"};
constexpr std::string_view kPersonality[] = {"x86",      "x86-64", "ppc",   "ppc-le", "ppc64",
                                             "ppc64-le", "s390",   "s390x", "arm64",  "arm"};
constexpr std::string_view kLevel[] = {"emerg", "alert", "crit", "err", "warning", "notice",
                                       "info",  "debug", "0",    "1",   "2",       "3",
                                       "4",     "5",     "6",    "7"};
constexpr std::string_view kFacility[] = {"kern",     "user",   "mail",   "daemon", "auth",
                                          "syslog",   "lpr",    "news",   "uucp",   "cron",
                                          "authpriv", "ftp",    "local0", "local1", "local2",
                                          "local3",   "local4", "local5", "local6", "local7"};

constexpr Directive shut(std::string_view name, ParseFn check, std::string_view help,
                         std::string_view inert = {}) {
  return not_yet_protecting(S, name, check, help, inert);
}
constexpr Directive later(std::string_view name, ParseFn check, std::string_view help,
                          std::string_view inert = {}) {
  return not_yet(S, name, check, help, inert);
}

constexpr Directive kRows[] = {
    // File systems.
    shut("ProtectSystem", check_bool_or_word<kProtectSystem>,
         "/usr, with full /etc, with strict all is read-only.", "no"),
    shut("ProtectHome", check_bool_or_word<kProtectHome>, "Homes are out of sight or read-only.",
         "no"),
    shut("PrivateTmp", check_bool, "Own /tmp and /var/tmp.", "no"),
    shut("PrivateDevices", check_bool, "Own /dev without devices.", "no"),
    shut("PrivateMounts", check_bool, "Mounts stay among the unit's processes.", "no"),
    shut("ReadWritePaths", check_paths, "Paths that stay writable."),
    shut("ReadOnlyPaths", check_paths, "Paths that are read-only."),
    shut("InaccessiblePaths", check_paths, "Paths that can't be reached."),
    shut("ExecPaths", check_paths, "Paths from which programs may be run."),
    shut("NoExecPaths", check_paths, "Paths from which they may not."),
    shut("ReadWriteDirectories", check_paths, "Old name of ReadWritePaths=."),
    shut("ReadOnlyDirectories", check_paths, "Old name of ReadOnlyPaths=."),
    shut("InaccessibleDirectories", check_paths, "Old name of InaccessiblePaths=."),
    shut("BindPaths", check_bind_paths, "Paths that are bound elsewhere."),
    shut("BindReadOnlyPaths", check_bind_paths, "The same, read-only."),
    shut("TemporaryFileSystem", check_words, "Empty file systems over these paths."),
    shut("MountFlags", check_word<kMountFlags>, "How mounts propagate."),
    shut("MountAPIVFS", check_bool, "/proc, /sys and /dev inside RootDirectory=."),
    shut("ProtectProc", check_word<kProtectProc>, "What of other processes /proc shows.",
         "default"),
    shut("ProcSubset", check_word<kProcSubset>, "Whether /proc shows more than processes.", "all"),
    shut("RootImage", check_path, "A disk image as root directory."),
    shut("RootImageOptions", check_words, "Its mount options."),
    shut("RootHash", check_text, "Its verity root hash."),
    shut("RootHashSignature", check_text, "The signature of that."),
    shut("RootVerity", check_path, "Its verity data."),
    shut("MountImages", check_words, "Disk images that are mounted for the unit."),
    shut("ExtensionImages", check_words, "Disk images that extend the root."),
    shut("ExtensionDirectories", check_paths, "Directories that extend the root."),

    // The kernel.
    shut("ProtectKernelTunables", check_bool, "/proc/sys, /sys and their like are read-only.",
         "no"),
    shut("ProtectKernelModules", check_bool, "No kernel modules may be loaded.", "no"),
    shut("ProtectKernelLogs", check_bool, "The kernel's log is out of reach.", "no"),
    shut("ProtectClock", check_bool, "The clock can't be set.", "no"),
    shut("ProtectControlGroups", check_bool, "/sys/fs/cgroup is read-only.", "no"),
    shut("ProtectHostname", check_bool, "The host name can't be set.", "no"),
    shut("LockPersonality", check_bool, "personality(2) is locked.", "no"),
    shut("MemoryDenyWriteExecute", check_bool, "No memory is both writable and executable.", "no"),
    shut("RestrictRealtime", check_bool, "No real-time scheduling.", "no"),
    shut("RestrictSUIDSGID", check_bool, "No setuid or setgid files may be made.", "no"),
    shut("RestrictNamespaces", check_namespaces, "Which namespaces may be made.", "no"),
    shut("RestrictAddressFamilies", check_address_families, "Which kinds of sockets may be made."),
    shut("RestrictFileSystems", check_words, "Which file systems may be used."),
    shut("SystemCallFilter", check_system_calls, "Which system calls are allowed."),
    shut("SystemCallErrorNumber", check_error_number, "The error of those that are not."),
    shut("SystemCallArchitectures", check_architectures, "For which architectures."),
    shut("SystemCallLog", check_system_calls, "Which system calls are logged."),

    // Namespaces and identities.
    shut("PrivateNetwork", check_bool, "Own network with a loopback device alone.", "no"),
    shut("PrivateIPC", check_bool, "Own System V IPC and message queues.", "no"),
    shut("PrivateUsers", check_bool, "Own user namespace.", "no"),
    shut("NetworkNamespacePath", check_path, "The network namespace to join."),
    shut("IPCNamespacePath", check_path, "The IPC namespace to join."),
    shut("DynamicUser", parse_into<&ExecConfig::dynamic_user, parse_bool>,
         "A user that exists while the unit runs.", "no"),
    shut("RemoveIPC", check_bool, "The user's IPC objects go with the unit.", "no"),
    shut("PAMName", parse_text<&ExecConfig::pam_name>,
         "The PAM service through which the processes log in."),
    shut("SELinuxContext", check_text, "The SELinux context that they run in."),
    shut("AppArmorProfile", check_text, "The AppArmor profile that they run under."),
    shut("SmackProcessLabel", check_text, "Their SMACK label."),
    shut("KeyringMode", check_word<kKeyringMode>, "Which kernel keyring they have.", "inherit"),
    later("Personality", check_word<kPersonality>, "The architecture that uname(2) tells."),
    later("LoadCredential", check_text, "Credentials that are read from files."),
    later("LoadCredentialEncrypted", check_text, "The same, encrypted."),
    later("SetCredential", check_text, "Credentials that stand in the unit file."),
    later("SetCredentialEncrypted", check_text, "The same, encrypted."),

    later("CoredumpFilter", check_text, "Which memory a core file has."),

    // Logs and terminals.
    later("SyslogFacility", check_word<kFacility>, "The facility of its lines in the log.",
          "daemon"),
    later("SyslogLevel", check_word<kLevel>, "Their level.", "info"),
    later("SyslogLevelPrefix", check_bool, "\"<3>\" and its like before a line are its level.",
          "yes"),
    later("LogLevelMax", check_word<kLevel>, "The least important level that is kept.", "debug"),
    later("LogRateLimitIntervalSec", check_span, "Over which time lines are counted."),
    later("LogRateLimitBurst", check_unsigned, "How many are kept in that time."),
    later("LogExtraFields", check_words, "Fields that every log entry gets."),
    later("LogNamespace", check_text, "The journal that its lines go to."),
    later("TTYRows", check_unsigned, "Rows of the terminal."),
    later("TTYColumns", check_unsigned, "Columns of the terminal."),
    later("UtmpIdentifier", check_text, "The name of its entry in utmp(5)."),
    later("UtmpMode", check_word<kUtmpMode>, "The kind of that entry.", "init"),
    later("TimeoutCleanSec", check_span, "How long a clean operation may take.", "infinity"),
    obsolete(S, "Capabilities", "Use AmbientCapabilities= and CapabilityBoundingSet=."),
};

}  // namespace

std::span<const Directive> sandbox_directives() {
  return kRows;
}

}  // namespace onset
