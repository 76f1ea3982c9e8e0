#pragma once
// What early units run: `onset machine VERB`, programs of one task each that end with it, as
// systemd has helper binaries for them. The units are in units/, with systemd's names.

#include <string>
#include <string_view>
#include <vector>

namespace onset {

/// The exit status. `words`: the verb and its arguments.
int run_machine_program(const std::vector<std::string>& words);

// One of each verb; `arguments` come after it.
int check_file_system(const std::vector<std::string>& arguments);  // machine_checks.cpp
int remount_file_systems(const std::vector<std::string>& arguments);
int apply_sysctl(const std::vector<std::string>& arguments);  // machine_settings.cpp
int load_modules(const std::vector<std::string>& arguments);
int keep_random_seed(const std::vector<std::string>& arguments);  // machine_seed.cpp
int commit_machine_id(const std::vector<std::string>& arguments);
int mark_updated(const std::vector<std::string>& arguments);
int update_utmp(const std::vector<std::string>& arguments);  // machine_records.cpp
int mount_root(const std::vector<std::string>& arguments);   // machine_root.cpp
int switch_to_root(const std::vector<std::string>& arguments);
int read_sysroot_fstab(const std::vector<std::string>& arguments);
int make_file_system(const std::vector<std::string>& arguments);  // machine_disks.cpp
int grow_file_system(const std::vector<std::string>& arguments);
int give_shell(const std::vector<std::string>& arguments);  // machine_shell.cpp

// ---- what they share ----------------------------------------------------------------

/// One line on standard error.
void complain(std::string_view text);
/// A file of at most a mebibyte; empty where it can't be read.
std::string text_of(const std::string& path);
/// The node of the device that a path is on; in the table of mounts it may have a name that is
/// none ("/dev/root"). Empty: it is on no device.
std::string node_of(const std::string& path);
/// The program by its name, looked up in the usual folders; empty: it is not there.
std::string find_program(std::string_view name);
/// Runs it and waits: its exit status, the negative number of the signal that ended it, or 127:
/// it can't be run, which is told.
int run_program(const std::string& path, const std::vector<std::string>& argv);

}  // namespace onset
