"""The C kernel, guarded copies and the shield over direct accesses."""
