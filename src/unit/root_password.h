#pragma once
// Whether root may be let in without a password: passwd(5), shadow(5). Pure.

#include <string_view>

namespace onset {

/// True only where root's password is set to nothing at all. "*" and "!" lock the account; a
/// file that is not there or has no root lets nobody in, other than a system without passwd.
bool root_has_no_password(std::string_view passwd, std::string_view shadow);

}  // namespace onset
