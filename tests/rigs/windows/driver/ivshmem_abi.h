/* The interface of the virtio-win ivshmem driver as its Public.h publishes it (GUID, codes,
 * structures), written down again for the rig's driver. 64-bit callers only: that is what runs. */
#pragma once
#include <ntddk.h>

DEFINE_GUID(GUID_IVSHMEM, 0xdf576976, 0x569d, 0x4672, 0x95, 0xa0, 0xf5, 0x7e, 0x4e, 0xa0, 0xb2, 0x10);

#define IVSHMEM_CODE(function) CTL_CODE(FILE_DEVICE_UNKNOWN, function, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define REQUEST_PEERID IVSHMEM_CODE(0x800)
#define REQUEST_SIZE IVSHMEM_CODE(0x801)
#define REQUEST_MMAP IVSHMEM_CODE(0x802)
#define RELEASE_MMAP IVSHMEM_CODE(0x803)
#define RING_DOORBELL IVSHMEM_CODE(0x804)
#define REGISTER_EVENT IVSHMEM_CODE(0x805)
#define REQUEST_KMAP IVSHMEM_CODE(0x806)
/* Not in the published interface: the rig unplugs a device, and plugs it in again. */
#define RIG_UNPLUG IVSHMEM_CODE(0x8F0)
#define RIG_PLUG IVSHMEM_CODE(0x8F1)

/* Exported by ntoskrnl, left out of mingw's headers. */
NTSYSAPI NTSTATUS NTAPI ZwSetEvent(HANDLE event, LONG *previous);
NTSYSAPI NTSTATUS NTAPI ZwClearEvent(HANDLE event);
NTSYSAPI NTSTATUS NTAPI ZwDuplicateObject(HANDLE from, HANDLE object, HANDLE to, HANDLE *copy, ACCESS_MASK access,
                                          ULONG attributes, ULONG options);

#define CACHE_MODES 3
#define EVENT_SLOTS 32

typedef struct { USHORT peer; ULONGLONG size; PVOID pointer; USHORT vectors; } MMAP_ANSWER;
typedef struct { USHORT peer; USHORT vector; } RING_REQUEST;
typedef struct { USHORT vector; HANDLE event; BOOLEAN single_shot; } EVENT_REQUEST;

C_ASSERT(sizeof(MMAP_ANSWER) == 32);
C_ASSERT(sizeof(RING_REQUEST) == 4);
C_ASSERT(sizeof(EVENT_REQUEST) == 24);
