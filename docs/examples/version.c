#include <stdio.h>
#include <moshi/version.h>
int main(void) { printf("%s\n", moshi_version()); return 0; }
