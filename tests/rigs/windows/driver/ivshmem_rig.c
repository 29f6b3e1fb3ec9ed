/* A driver with the published interface of virtio-win's ivshmem driver, for Wine.
 *
 * Each device is root-enumerated; its memory is a file of the Linux side, mapped into the calling
 * process, so that both sides really share the bytes. Lengths are compared as strictly and in the
 * same order as the real driver does. Behaviour comes from the device's registry key
 * (Enum\ROOT\IVSHMEM\nnnn\Device Parameters) and is read anew for each request:
 *   File       REG_SZ     \??\Z:\dev\shm\NAME
 *   Size       REG_QWORD  size in bytes
 *   PeerId, Vectors       REG_DWORD
 *   PerHandle  REG_DWORD  1: one mapping per handle, as the builds of 2024 had it
 *   NotReady   REG_DWORD  1: a revision 0 device that still waits for its memory
 *   Misbehave  REG_DWORD  see enum misbehaviour
 * Wine serves one request at a time, as the real driver's sequential queue does: no locks. */
#define INITGUID
#include "ivshmem_abi.h"

#define MAPPINGS 16
#define DEVICES 32

enum misbehaviour {
    BEHAVE, LIE_SHORT_ANSWER, LIE_SIZE_ZERO, LIE_SIZE_GARBAGE, LIE_NULL_POINTER, LIE_SIZE_DIFFERS,
    LIE_MAPPING_FAILS, LIE_SHORT_SIZE
};

typedef struct { FILE_OBJECT *owner; HANDLE process; PVOID address; } MAPPING;
typedef struct { FILE_OBJECT *owner; HANDLE event; USHORT vector; BOOLEAN single_shot; } EVENT_SLOT;
typedef struct {
    DEVICE_OBJECT *self, *below;
    UNICODE_STRING interface_name;
    HANDLE settings;
    BOOLEAN unplugged;
    MAPPING mappings[MAPPINGS];
    EVENT_SLOT events[EVENT_SLOTS];
} DEVICE;

static DEVICE *devices[DEVICES]; /* whom a doorbell can reach */

/* -- settings ------------------------------------------------------------------------------ */

static ULONGLONG setting(DEVICE *device, const WCHAR *name, ULONGLONG otherwise)
{
    union { KEY_VALUE_PARTIAL_INFORMATION info; UCHAR room[64]; } value;
    UNICODE_STRING key;
    ULONG length;
    ULONGLONG number = 0;

    RtlInitUnicodeString(&key, name);
    if (ZwQueryValueKey(device->settings, &key, KeyValuePartialInformation, &value, sizeof(value), &length))
        return otherwise;
    RtlCopyMemory(&number, value.info.Data, min(value.info.DataLength, sizeof(number)));
    return number;
}

static BOOLEAN misbehaves(DEVICE *device, enum misbehaviour how)
{
    return setting(device, L"Misbehave", BEHAVE) == how;
}

/* -- mappings ------------------------------------------------------------------------------ */

static MAPPING *mapping_of(DEVICE *device, FILE_OBJECT *owner)
{
    for (int i = 0; i < MAPPINGS; i++)
        if (device->mappings[i].owner && (!owner || device->mappings[i].owner == owner))
            return &device->mappings[i];
    return NULL;
}

static MAPPING *free_mapping(DEVICE *device)
{
    for (int i = 0; i < MAPPINGS; i++)
        if (!device->mappings[i].owner)
            return &device->mappings[i];
    return NULL;
}

static void unmap(MAPPING *mapping)
{
    ZwUnmapViewOfSection(mapping->process, mapping->address); /* fails when its process is dead: fine */
    if (mapping->process != NtCurrentProcess())
        ZwClose(mapping->process);
    RtlZeroMemory(mapping, sizeof(*mapping));
}

static NTSTATUS open_client(HANDLE *process)
{
    OBJECT_ATTRIBUTES none;
    CLIENT_ID client = {PsGetCurrentProcessId(), NULL};

    InitializeObjectAttributes(&none, NULL, 0, NULL, NULL);
    return ZwOpenProcess(process, PROCESS_ALL_ACCESS, &none, &client);
}

static NTSTATUS open_memory(DEVICE *device, HANDLE *section)
{
    union { KEY_VALUE_PARTIAL_INFORMATION info; UCHAR room[1024]; } value;
    UNICODE_STRING key, path;
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;
    HANDLE file;
    ULONG length;
    NTSTATUS status;

    RtlInitUnicodeString(&key, L"File");
    RtlZeroMemory(&value, sizeof(value)); /* so that the path ends */
    status = ZwQueryValueKey(device->settings, &key, KeyValuePartialInformation, &value,
                             sizeof(value) - sizeof(WCHAR), &length);
    if (status)
        return status;
    RtlInitUnicodeString(&path, (WCHAR *)value.info.Data);
    InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE, NULL, NULL);
    status = ZwOpenFile(&file, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &attributes, &io,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_SYNCHRONOUS_IO_NONALERT);
    if (status)
        return status;
    status = ZwCreateSection(section, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READWRITE, SEC_COMMIT, file);
    ZwClose(file);
    return status;
}

static NTSTATUS map(DEVICE *device, MAPPING *mapping, BOOLEAN kernel)
{
    SIZE_T whole = 0;
    HANDLE section;
    NTSTATUS status = open_memory(device, &section);

    if (status)
        return STATUS_DRIVER_INTERNAL_ERROR;
    mapping->process = NtCurrentProcess();
    mapping->address = NULL;
    if (!kernel)
        status = open_client(&mapping->process);
    if (!status)
        status = ZwMapViewOfSection(section, mapping->process, &mapping->address, 0, 0, NULL, &whole,
                                    ViewShare, 0, PAGE_READWRITE);
    ZwClose(section);
    return status ? STATUS_DRIVER_INTERNAL_ERROR : STATUS_SUCCESS;
}

/* -- requests: each returns a status and sets what it answers ----------------------------------- */

typedef struct { FILE_OBJECT *file; PVOID buffer; ULONG in, out; ULONG_PTR answered; } REQUEST;

static NTSTATUS request_peer(DEVICE *device, REQUEST *request)
{
    if (request->out != sizeof(USHORT))
        return STATUS_INVALID_BUFFER_SIZE;
    *(USHORT *)request->buffer = (USHORT)setting(device, L"PeerId", 0);
    request->answered = sizeof(USHORT);
    return STATUS_SUCCESS;
}

static ULONGLONG told_size(DEVICE *device)
{
    if (misbehaves(device, LIE_SIZE_ZERO))
        return 0;
    if (misbehaves(device, LIE_SIZE_GARBAGE))
        return 0xFFFFFFFFFFFFFFFFull;
    return setting(device, L"Size", 0);
}

static NTSTATUS request_size(DEVICE *device, REQUEST *request)
{
    if (request->out != sizeof(ULONGLONG))
        return STATUS_INVALID_BUFFER_SIZE;
    *(ULONGLONG *)request->buffer = told_size(device);
    request->answered = misbehaves(device, LIE_SHORT_SIZE) ? 4 : sizeof(ULONGLONG);
    return STATUS_SUCCESS;
}

static NTSTATUS request_mmap(DEVICE *device, REQUEST *request, BOOLEAN kernel)
{
    BOOLEAN per_handle = setting(device, L"PerHandle", 0) != 0;
    MMAP_ANSWER *answer = request->buffer;
    MAPPING *mapping;
    NTSTATUS status;

    if (mapping_of(device, per_handle ? request->file : NULL))
        return STATUS_DEVICE_ALREADY_ATTACHED;
    if (request->in != sizeof(UCHAR) || request->out != sizeof(*answer))
        return STATUS_INVALID_BUFFER_SIZE;
    if (*(UCHAR *)request->buffer >= CACHE_MODES)
        return STATUS_INVALID_PARAMETER;
    if (misbehaves(device, LIE_MAPPING_FAILS) || !(mapping = free_mapping(device)))
        return STATUS_DRIVER_INTERNAL_ERROR;
    if ((status = map(device, mapping, kernel)))
        return status;
    mapping->owner = request->file;
    RtlZeroMemory(answer, sizeof(*answer));
    answer->peer = (USHORT)setting(device, L"PeerId", 0);
    answer->size = told_size(device) / (misbehaves(device, LIE_SIZE_DIFFERS) ? 2 : 1);
    answer->pointer = misbehaves(device, LIE_NULL_POINTER) ? NULL : mapping->address;
    answer->vectors = (USHORT)setting(device, L"Vectors", 0);
    request->answered = misbehaves(device, LIE_SHORT_ANSWER) ? 24 : sizeof(*answer);
    return STATUS_SUCCESS;
}

static NTSTATUS release_mmap(DEVICE *device, REQUEST *request)
{
    MAPPING *mapping = mapping_of(device, request->file);

    if (!mapping_of(device, NULL))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (!mapping)
        return STATUS_INVALID_HANDLE;
    unmap(mapping);
    return STATUS_SUCCESS;
}

static void interrupt(USHORT peer, USHORT vector)
{
    for (int d = 0; d < DEVICES; d++) {
        if (!devices[d] || devices[d]->unplugged || (USHORT)setting(devices[d], L"PeerId", 0) != peer)
            continue;
        for (int i = 0; i < EVENT_SLOTS; i++) {
            EVENT_SLOT *slot = &devices[d]->events[i];
            if (!slot->owner || slot->vector != vector)
                continue;
            ZwSetEvent(slot->event, NULL);
            if (slot->single_shot) {
                ZwClose(slot->event);
                RtlZeroMemory(slot, sizeof(*slot));
            }
        }
    }
}

static NTSTATUS ring_doorbell(DEVICE *device, REQUEST *request)
{
    RING_REQUEST *ring = request->buffer;

    if (!mapping_of(device, request->file))
        return STATUS_INVALID_HANDLE;
    if (request->in != sizeof(*ring))
        return STATUS_INVALID_BUFFER_SIZE;
    interrupt(ring->peer, ring->vector); /* nobody there: silence, as in hardware */
    return STATUS_SUCCESS;
}

static NTSTATUS take_event(HANDLE theirs, HANDLE *ours)
{
    HANDLE client;
    NTSTATUS status = open_client(&client);

    if (status)
        return STATUS_INVALID_HANDLE;
    status = ZwDuplicateObject(client, theirs, NtCurrentProcess(), ours, SYNCHRONIZE | EVENT_MODIFY_STATE, 0, 0);
    ZwClose(client);
    if (!status && (status = ZwClearEvent(*ours)))
        ZwClose(*ours); /* no event at all */
    return status ? STATUS_INVALID_HANDLE : STATUS_SUCCESS;
}

static NTSTATUS register_event(DEVICE *device, REQUEST *request)
{
    EVENT_REQUEST *wanted = request->buffer;
    NTSTATUS status;

    if (!mapping_of(device, request->file))
        return STATUS_INVALID_HANDLE;
    if (request->in != sizeof(*wanted))
        return STATUS_INVALID_BUFFER_SIZE;
    for (int i = 0; i < EVENT_SLOTS; i++) {
        EVENT_SLOT *slot = &device->events[i];
        if (slot->owner)
            continue;
        if ((status = take_event(wanted->event, &slot->event)))
            return status;
        slot->owner = request->file;
        slot->vector = wanted->vector;
        slot->single_shot = wanted->single_shot;
        return STATUS_SUCCESS;
    }
    return STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS unplug(DEVICE *device)
{
    for (MAPPING *mapping; (mapping = mapping_of(device, NULL));)
        unmap(mapping); /* under the owner's feet, as the real driver does it */
    device->unplugged = TRUE;
    return IoSetDeviceInterfaceState(&device->interface_name, FALSE);
}

static NTSTATUS plug(DEVICE *device)
{
    device->unplugged = FALSE;
    return IoSetDeviceInterfaceState(&device->interface_name, TRUE);
}

static NTSTATUS answer(DEVICE *device, ULONG code, REQUEST *request)
{
    if (code == RIG_UNPLUG)
        return unplug(device);
    if (code == RIG_PLUG)
        return plug(device);
    if (device->unplugged)
        return STATUS_DEVICE_REMOVED;
    if (setting(device, L"NotReady", 0))
        return STATUS_DEVICE_NOT_READY;
    switch (code) {
    case REQUEST_PEERID: return request_peer(device, request);
    case REQUEST_SIZE: return request_size(device, request);
    case REQUEST_MMAP: return request_mmap(device, request, FALSE);
    case REQUEST_KMAP: return request_mmap(device, request, TRUE);
    case RELEASE_MMAP: return release_mmap(device, request);
    case RING_DOORBELL: return ring_doorbell(device, request);
    case REGISTER_EVENT: return register_event(device, request);
    }
    return STATUS_INVALID_DEVICE_REQUEST;
}

/* -- dispatch -------------------------------------------------------------------------------------- */

static NTSTATUS complete(IRP *irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS NTAPI on_control(DEVICE_OBJECT *object, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    REQUEST request = {
        .file = stack->FileObject,
        .buffer = irp->AssociatedIrp.SystemBuffer,
        .in = stack->Parameters.DeviceIoControl.InputBufferLength,
        .out = stack->Parameters.DeviceIoControl.OutputBufferLength,
    };
    NTSTATUS status = answer(object->DeviceExtension, stack->Parameters.DeviceIoControl.IoControlCode, &request);

    return complete(irp, status, status ? 0 : request.answered);
}

static NTSTATUS NTAPI on_open(DEVICE_OBJECT *object, IRP *irp)
{
    (void)object; /* opens even when unplugged, so that the rig can plug it in again */
    return complete(irp, STATUS_SUCCESS, 0);
}

/* The last handle went, or its process died: its events and its mapping go with it. */
static NTSTATUS NTAPI on_close(DEVICE_OBJECT *object, IRP *irp)
{
    DEVICE *device = object->DeviceExtension;
    FILE_OBJECT *file = IoGetCurrentIrpStackLocation(irp)->FileObject;

    for (int i = 0; i < EVENT_SLOTS; i++) {
        if (device->events[i].owner != file)
            continue;
        ZwClose(device->events[i].event);
        RtlZeroMemory(&device->events[i], sizeof(device->events[i]));
    }
    for (MAPPING *mapping; (mapping = mapping_of(device, file));)
        unmap(mapping);
    return complete(irp, STATUS_SUCCESS, 0);
}

static void forget(DEVICE *device)
{
    for (int i = 0; i < DEVICES; i++)
        if (devices[i] == device)
            devices[i] = NULL;
}

static NTSTATUS NTAPI on_pnp(DEVICE_OBJECT *object, IRP *irp)
{
    DEVICE *device = object->DeviceExtension;
    UCHAR minor = IoGetCurrentIrpStackLocation(irp)->MinorFunction;
    NTSTATUS status;

    if (minor == IRP_MN_START_DEVICE)
        IoSetDeviceInterfaceState(&device->interface_name, TRUE);
    if (minor == IRP_MN_START_DEVICE || minor == IRP_MN_REMOVE_DEVICE)
        irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(irp);
    status = IoCallDriver(device->below, irp);
    if (minor == IRP_MN_REMOVE_DEVICE) {
        IoSetDeviceInterfaceState(&device->interface_name, FALSE);
        RtlFreeUnicodeString(&device->interface_name);
        ZwClose(device->settings);
        forget(device);
        IoDetachDevice(device->below);
        IoDeleteDevice(object);
    }
    return status;
}

static NTSTATUS NTAPI add_device(DRIVER_OBJECT *driver, DEVICE_OBJECT *physical)
{
    DEVICE_OBJECT *object;
    DEVICE *device;
    NTSTATUS status = IoCreateDevice(driver, sizeof(DEVICE), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &object);

    if (status)
        return status;
    device = object->DeviceExtension;
    RtlZeroMemory(device, sizeof(*device));
    device->self = object;
    status = IoOpenDeviceRegistryKey(physical, PLUGPLAY_REGKEY_DEVICE, KEY_READ, &device->settings);
    if (!status)
        status = IoRegisterDeviceInterface(physical, &GUID_IVSHMEM, NULL, &device->interface_name);
    if (status) {
        IoDeleteDevice(object);
        return status;
    }
    device->below = IoAttachDeviceToDeviceStack(object, physical);
    object->Flags &= ~DO_DEVICE_INITIALIZING;
    for (int i = 0; i < DEVICES; i++) {
        if (!devices[i]) {
            devices[i] = device;
            break;
        }
    }
    return STATUS_SUCCESS;
}

static void NTAPI on_unload(DRIVER_OBJECT *driver)
{
    (void)driver;
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registry)
{
    (void)registry;
    driver->DriverExtension->AddDevice = add_device;
    driver->DriverUnload = on_unload;
    driver->MajorFunction[IRP_MJ_CREATE] = on_open;
    driver->MajorFunction[IRP_MJ_CLEANUP] = on_close;
    driver->MajorFunction[IRP_MJ_CLOSE] = on_close;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = on_control;
    driver->MajorFunction[IRP_MJ_PNP] = on_pnp;
    return STATUS_SUCCESS;
}
