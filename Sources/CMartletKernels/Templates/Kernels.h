// All kernels of one instruction set, and its table.
#include "Vector.h"
#include "Exponential.h"
#include "Rows.h"
#include "Matmul.h"
#include "Sequences.h"
#include "Elementwise.h"
#include "Transposition.h"
#include "Gradients.h"
#include "RecurrenceGradient.h"
#include "Planes.h"

const martlet_kernel_table TABLE = {
#define KERNEL(result, name, parameters, arguments) .name = name,
#include "KernelList.h"
#undef KERNEL
};
