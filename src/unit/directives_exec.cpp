// systemd.exec(5): how processes are run, but for the sandbox
// (directives_sandbox.cpp). One set of rows for every section that runs any.

#include <sys/resource.h>

#include "unit/capability.h"
#include "unit/directive_checks.h"
#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"
#include "unit/exec_parsers.h"

namespace onset {
namespace {

using C = ExecConfig;
constexpr Section S = Section::Service;

template <auto Member>
std::string parse_user_into(ParseContext& context, std::string_view value) {
  return parse_user(context, value, Member);
}
template <auto Member>
constexpr Codec kUser{parse_user_into<Member>, show_member<Member>};

template <int Resource>
constexpr Codec kLimit{[](ParseContext& context, std::string_view value) {
                         return parse_exec_limit(context, value, Resource);
                       },
                       [](const Unit& unit) { return show_exec_limit(unit, Resource); }};

template <auto Member, bool Assignments>
constexpr Codec kNames{[](ParseContext& context, std::string_view value) {
                         return parse_environment_names(context, value, Member, Assignments);
                       },
                       show_member<Member>};

template <auto Member>
constexpr Codec kOutput{[](ParseContext& context, std::string_view value) {
                          return parse_standard_output(context, value, Member);
                        },
                        [](const Unit& unit) { return show_standard_output(unit, Member); }};

template <ExecDirectory Kind>
constexpr Codec kDirectories{[](ParseContext& context, std::string_view value) {
                               return parse_directories(context, value, Kind);
                             },
                             [](const Unit& unit) { return show_directories(unit, Kind); }};
template <ExecDirectory Kind>
constexpr Codec kDirectoryMode{[](ParseContext& context, std::string_view value) {
                                 return parse_directory_mode(context, value, Kind);
                               },
                               [](const Unit& unit) { return show_directory_mode(unit, Kind); }};

template <auto Member, std::uint64_t Initial>
constexpr Codec kCapabilitySet{
    [](ParseContext& context, std::string_view value) {
      return parse_capabilities(context, value, Member, Initial);
    },
    [](const Unit& unit) {
      return format_capability_set(member_of<Member>(unit).value_or(Initial));
    }};

std::string show_nice(const Unit& unit) {
  return shown(config_of<ExecConfig>(unit).nice.value_or(0));
}

std::string show_umask(const Unit& unit) {
  return format("{:04o}", config_of<ExecConfig>(unit).umask.value_or(0022));
}

using D = ExecDirectory;
constexpr Directive kRows[] = {
    protecting(S, "User", kUser<&C::user>, "The user that the processes run as."),
    protecting(S, "Group", kUser<&C::group>, "The group that they run in."),
    protecting(S, "SupplementaryGroups",
               {parse_supplementary_groups, show_words<&C::supplementary_groups, WordFlags::None>},
               "Further groups."),
    protecting(S, "WorkingDirectory", {parse_working_directory, show_working_directory},
               "The directory that they start in; \"~\" is the user's home."),
    protecting(S, "RootDirectory", kPath<&C::root_directory>, "The directory that is their \"/\"."),
    honoured(S, "UMask", {parse_into<&C::umask, parse_mode>, show_umask},
             "The mode bits that files they create do not get."),
    honoured(S, "Nice", {parse_or_reset<&C::nice, parse_nice>, show_nice},
             "Scheduling priority, -20 to 19."),
    honoured(S, "OOMScoreAdjust",
             {parse_or_reset<&C::oom_score_adjust, parse_oom_score_adjust>,
              show_member<&C::oom_score_adjust>},
             "How readily the kernel kills them for want of memory, -1000 to 1000."),
    honoured(S, "IgnoreSIGPIPE", kBool<&C::ignore_sigpipe>, "SIGPIPE is ignored."),

    honoured(S, "Environment", {parse_environment, show_member<&C::environment>},
             "Environment variables: NAME=VALUE words."),
    honoured(S, "EnvironmentFile", {parse_environment_file_path, show_environment_files},
             "A file with such lines; with \"-\" it may be missing.", "EnvironmentFiles"),
    honoured(S, "PassEnvironment", kNames<&C::pass_environment, false>,
             "Variables of the manager that are handed on."),
    honoured(S, "UnsetEnvironment", kNames<&C::unset_environment, true>,
             "Variables that are taken away at last."),
    honoured(S, "ExecSearchPath", {parse_search_path, show_search_path},
             "Where commands without a path are looked for.", {}, 250),

    honoured(S, "StandardInput", {parse_standard_input, show_standard_input},
             "What file descriptor 0 is."),
    honoured(S, "StandardOutput", kOutput<&C::standard_output>, "What file descriptor 1 is."),
    honoured(S, "StandardError", kOutput<&C::standard_error>, "What file descriptor 2 is."),
    honoured(S, "StandardInputText", {parse_input_text, nullptr},
             "Lines for StandardInput=data, as text."),
    honoured(S, "StandardInputData", {parse_input_data, nullptr},
             "Bytes for StandardInput=data, in Base64."),
    honoured(S, "TTYPath", kPath<&C::tty_path>, "The terminal of tty streams."),
    honoured(S, "TTYReset", kBool<&C::tty_reset>, "Reset that terminal before and after."),
    honoured(S, "TTYVHangup", kBool<&C::tty_vhangup>, "Disconnect who has that terminal open."),
    honoured(S, "TTYVTDisallocate", kBool<&C::tty_vt_disallocate>,
             "Clear that virtual terminal before and after."),
    without_effect(honoured(S, "SyslogIdentifier", kText<&C::syslog_identifier>,
                            "The name in front of its lines in the log.")),

    honoured(S, "RuntimeDirectory", kDirectories<D::Runtime>,
             "Directories below /run, there while the unit runs."),
    honoured(S, "RuntimeDirectoryMode", kDirectoryMode<D::Runtime>, "Their mode."),
    honoured(S, "RuntimeDirectoryPreserve",
             {parse_preserve, show_member<&C::runtime_directory_preserve>},
             "Whether they stay when the unit stops."),
    honoured(S, "StateDirectory", kDirectories<D::State>, "Directories below /var/lib."),
    honoured(S, "StateDirectoryMode", kDirectoryMode<D::State>, "Their mode."),
    honoured(S, "CacheDirectory", kDirectories<D::Cache>, "Directories below /var/cache."),
    honoured(S, "CacheDirectoryMode", kDirectoryMode<D::Cache>, "Their mode."),
    honoured(S, "LogsDirectory", kDirectories<D::Logs>, "Directories below /var/log."),
    honoured(S, "LogsDirectoryMode", kDirectoryMode<D::Logs>, "Their mode."),
    honoured(S, "ConfigurationDirectory", kDirectories<D::Configuration>,
             "Directories below /etc."),
    honoured(S, "ConfigurationDirectoryMode", kDirectoryMode<D::Configuration>, "Their mode."),

    honoured(S, "LimitCPU", kLimit<RLIMIT_CPU>, "CPU time."),
    honoured(S, "LimitFSIZE", kLimit<RLIMIT_FSIZE>, "Size of files that are written."),
    honoured(S, "LimitDATA", kLimit<RLIMIT_DATA>, "Size of the data segment."),
    honoured(S, "LimitSTACK", kLimit<RLIMIT_STACK>, "Size of the stack."),
    honoured(S, "LimitCORE", kLimit<RLIMIT_CORE>, "Size of core files."),
    honoured(S, "LimitRSS", kLimit<RLIMIT_RSS>, "Resident memory (Linux ignores it)."),
    honoured(S, "LimitNOFILE", kLimit<RLIMIT_NOFILE>, "Number of open files."),
    honoured(S, "LimitAS", kLimit<RLIMIT_AS>, "Size of the address space."),
    honoured(S, "LimitNPROC", kLimit<RLIMIT_NPROC>, "Number of the user's processes."),
    honoured(S, "LimitMEMLOCK", kLimit<RLIMIT_MEMLOCK>, "Locked memory."),
    honoured(S, "LimitLOCKS", kLimit<RLIMIT_LOCKS>, "Number of file locks (Linux ignores it)."),
    honoured(S, "LimitSIGPENDING", kLimit<RLIMIT_SIGPENDING>, "Number of queued signals."),
    honoured(S, "LimitMSGQUEUE", kLimit<RLIMIT_MSGQUEUE>, "Bytes in POSIX message queues."),
    honoured(S, "LimitNICE", kLimit<RLIMIT_NICE>, "How far the priority may be raised."),
    honoured(S, "LimitRTPRIO", kLimit<RLIMIT_RTPRIO>, "Highest real-time priority."),
    honoured(S, "LimitRTTIME", kLimit<RLIMIT_RTTIME>,
             "Real-time CPU time without a blocking call."),

    protecting(S, "CapabilityBoundingSet",
               kCapabilitySet<&C::capability_bounding_set, kAllCapabilities>,
               "Capabilities that the processes can ever have."),
    protecting(S, "AmbientCapabilities", kCapabilitySet<&C::ambient_capabilities, 0>,
               "Capabilities that they have without being root."),
    protecting(S, "SecureBits", {parse_secure_bits, show_secure_bits},
               "What capabilities mean for uid 0."),
    protecting(S, "NoNewPrivileges", kBool<&C::no_new_privileges>,
               "No program that they execute gains privileges."),
};

}  // namespace

std::span<const Directive> exec_directives() {
  return kRows;
}

}  // namespace onset
