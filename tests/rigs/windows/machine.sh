#!/bin/sh
# Runs as the first process of a private mount and process namespace: when it ends, so does every
# process in the machine, and every mount is gone. Nothing is ever mounted for the rest of the system.
#   machine.sh LOWER UPPER COMMAND...      UPPER empty: what is written goes to memory and is forgotten
#   IVSHMEM_RIG_BINDS="FROM TO|FROM TO"    folders of this system shown inside (TO without leading slash)
set -e
lower=$1 upper=$2
shift 2
base=/mnt # covered for this namespace only
mount -t tmpfs -o size=2g,mode=755 rig "$base"
root=$base/root
mkdir "$root"
if [ -n "$upper" ]; then
    # The upper folder's own file system holds the work folder too, as overlayfs wants it.
    work=$upper.work
    rm -rf "$work"
    mkdir -p "$work"
else
    upper=$base/upper work=$base/work
    mkdir "$upper" "$work"
fi
# By short names: newer mount programs take no more than 255 bytes of them (fsconfig(2)).
layers= IFS=:
for layer in $lower; do
    short=$base/layer$((${number:=0}))
    number=$((number + 1))
    ln -s "$layer" "$short"
    layers=${layers:+$layers:}$short
done
unset IFS
mount -t overlay -o "lowerdir=$layers,upperdir=$upper,workdir=$work" rig "$root"
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp/.X11-unix"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p /tmp/.X11-unix
mount --bind /tmp/.X11-unix "$root/tmp/.X11-unix"
IFS='|'
for pair in $IVSHMEM_RIG_BINDS; do
    from=${pair%% *} to=${pair##* }
    mkdir -p "$root/$to"
    mount --bind "$from" "$root/$to"
    # The checkout is looked at, never written.
    [ "$to" != src ] || mount -o remount,bind,ro "$root/$to"
done
unset IFS
if [ "$work" = "$upper.work" ]; then
    chroot "$root" "$@"
    umount -R "$root"
    rm -rf "$work"
    exit
fi
chroot "$root" "$@" &
wait
