"""The virtio-win ivshmem driver of a Windows guest: its interface, its mapping, its doorbell."""
