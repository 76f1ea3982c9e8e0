#pragma once
// The process of a mount or swap unit (os/mount_applet), as main() calls it.

#include "os/mount_applet.h"
