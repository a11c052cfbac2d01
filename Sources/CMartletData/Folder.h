// What every folder's file includes first.
#include <string.h>

#include "CMartletData.h"

#pragma clang diagnostic ignored "-Wc23-extensions"  // #embed
