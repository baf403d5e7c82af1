#include "app/command.h"

int main(int argc, char** argv) { return static_cast<int>(cmpost::run_program(argc, argv)); }
