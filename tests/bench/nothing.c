// The command of the entrypoint measurement: true, statically linked.

int main(void) { return 0; }
