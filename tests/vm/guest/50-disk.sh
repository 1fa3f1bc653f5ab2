# SPDX-License-Identifier: Apache-2.0
# The store on ext4, xfs and btrfs; row 32 on those that have project quotas: past the limit of a writable layer or a volume there is no
# room, in bytes and in files, and the host's file system stays as it was. What is claimed is read from the host's side.
. /opt/vm/guest/lib.sh
archives=/opt/vm/archives

used_mib()
{
    sync
    df -m --output=used "$CASEMATE_ROOT" | tail -n 1
}

full='Disk quota exceeded|No space left on device'

basics()
{
    check "$1: load" casemate load -i $archives/busybox.tar
    check "$1: run" says '^it works$' casemate run --rm busybox echo it works
    check "$1: the root can be written" says '^new$' casemate run --rm busybox sh -c 'echo new >/etc/new && rm /etc/group && cat /etc/new'
    check "$1: a volume takes the image's files" says '^root:x:0:0' casemate run --rm -v "taken:/etc" busybox cat /etc/passwd
    is "$1: with the ids of the neutral range" 1879048192 "$(stat -c %u "$CASEMATE_ROOT/volumes/taken/data/passwd")"
    check "$1: and another container sees them" says '^root:x:0:0' casemate run --rm -v taken:/x:ro busybox cat /x/passwd
    check "$1: a container in the background" casemate run -d --name box -v taken:/x busybox sleep 1000
    check "$1: exec" says '^1000$' casemate exec -u 1000 box id -u
    check "$1: a volume in use stays" denies 'in use' casemate volume rm taken
    check "$1: 39 layers" casemate load -i $archives/layers.tar
    check "$1: the uppermost layer wins" says '^37$' casemate run --rm layers cat /layers/last
    check "$1: rm" casemate rm -f box
    check "$1: volume rm" casemate volume rm taken
}

limited()
{
    before=$(used_mib)
    check "$1: past the size of the writable layer there is no room" denies "$full" \
        casemate run --name fat --storage-opt size=16m busybox dd if=/dev/zero of=/fill bs=1M count=64
    size=$(stat -c %s "$CASEMATE_ROOT"/containers/*/rw/upper/fill)
    check "$1: what was written is no more than that ($size)" test "$size" -gt 8000000 -a "$size" -le 16777216
    after=$(used_mib)
    check "$1: the host has the rest ($before MiB before, $after after)" test $((after - before)) -le 18
    check "$1: another container can write" says '^ok$' casemate run --rm busybox sh -c 'dd if=/dev/zero of=/x bs=1M count=20 2>/dev/null && echo ok'
    check "$1: a restarted one has its limit still" denies "$full|--storage-opt gives" casemate start -a fat
    check "$1: removing makes room" casemate rm fat
    is "$1: no project stays" "" "$(find "$CASEMATE_ROOT/projects" -mindepth 1 ! -name next)"

    check "$1: past the number of files there is no room" says '^(1[0-9][0-9]|2[0-9][0-9]) ' casemate run --rm --storage-opt inodes=300 busybox sh -c \
        'i=0; while [ $i -lt 1000 ] && true >/f$i; do i=$((i + 1)); done 2>/dev/null; echo $i files'

    printf '[practice "limits"]\ndisk = 8m\ndisk-inodes = 5000\nvolume-disk = 12m\n' >"$CASEMATE_CONF"
    check "$1: without a flag the policy's size counts" denies "$full" casemate run --rm busybox dd if=/dev/zero of=/fill bs=1M count=16
    check "$1: a larger one is a grant" casemate run -d --name big --storage-opt size=32m -v plain:/p -v small:/s busybox sleep 1000
    check "$1: which explain shows" says 'disk 32 MiB' casemate explain --no-trunc big
    check "$1: explain shows the kernel's limit" says 'holds +disk +32 MiB and 5000 files, in use ' casemate explain --no-trunc big
    check "$1: and that of a volume" says 'disk of volume plain +12 MiB and ' casemate explain --no-trunc big
    check "$1: df in the container shows the limit" says '^ *3276[0-9]$' casemate exec big sh -c "df -k / | awk 'NR == 2 { print \$2 }'"
    check "$1: a running container gets another limit" casemate update --storage-opt size=48m --storage-opt inodes=6000 big
    check "$1: which the kernel has" says 'holds +disk +48 MiB and 6000 files, in use ' casemate explain --no-trunc big
    check "$1: and is recorded as a grant" says 'disk 48 MiB' casemate explain --no-trunc big
    check "$1: df in the container shows it" says '^ *4915[0-9]$' casemate exec big sh -c "df -k / | awk 'NR == 2 { print \$2 }'"
    check "$1: a lower one keeps what is there and takes no more" casemate exec big dd if=/dev/zero of=/kept bs=1M count=10
    check "$1: lowered" casemate update --storage-opt size=9m big
    check "$1: no room below it" denies "$full" casemate exec big dd if=/dev/zero of=/more bs=1M count=1
    is "$1: what was there is there" 10485760 "$(casemate exec big stat -c %s /kept)"
    check "$1: no limit is the policy's to give" denies 'allow-unlimited = disk' casemate update --storage-opt size=-1 big
    check "$1: a full one does not start" denies "$full|--storage-opt gives" casemate restart -t 0 big
    check "$1: more room, also for one that does not run" casemate update --storage-opt size=20m big
    check "$1: then it starts" casemate start big
    check "$1: with that limit" says 'holds +disk +20 MiB and 6000 files, in use ' casemate explain --no-trunc big
    check "$1: a volume without a size has the policy's" denies "$full" casemate exec big dd if=/dev/zero of=/p/fill bs=1M count=16
    check "$1: rm" casemate rm -f big

    check "$1: volume create with a size" casemate volume create -o size=4m -o inodes=100 tiny
    check "$1: its size" denies "$full" casemate run --rm -v tiny:/v busybox dd if=/dev/zero of=/v/fill bs=1M count=8
    size=$(stat -c %s "$CASEMATE_ROOT/volumes/tiny/data/fill")
    check "$1: what was written is no more than that ($size)" test "$size" -le 4194304
    check "$1: is for all containers together" denies "$full" casemate run --rm -v tiny:/v busybox dd if=/dev/zero of=/v/more bs=1M count=4
    check "$1: volume inspect shows it" says '"Size": 4194304' casemate volume inspect tiny
    check "$1: an image that is larger than the volume is an error" denies 'nocopy' casemate run --rm --mount type=volume,source=less,target=/bin,volume-opt=size=1m busybox true
    check "$1: without the copy it is not" casemate run --rm -v less:/x:nocopy busybox true
    check "$1: volumes go" casemate volume prune -af
    is "$1: no project stays" "" "$(find "$CASEMATE_ROOT/projects" -mindepth 1 ! -name next)"
    rm -f "$CASEMATE_CONF"
}

# store_on DEVICE TYPE OPTIONS HAS_QUOTA
store_on()
{
    export CASEMATE_ROOT=/srv/$2 CASEMATE_RUN=/run/store-$2 CASEMATE_CONF=/run/store-$2.conf
    mkdir -p "$CASEMATE_ROOT"
    if ! mount -t "$2" -o "$3" "$1" "$CASEMATE_ROOT" 2>/run/mount.err; then
        skip "the store on $2" "it cannot be mounted: $(cat /run/mount.err)"
        return
    fi
    basics "$2"
    if [ "$4" = quota ]; then
        limited "$2"
    else
        check "$2: explain says that the disk is not limited" casemate run -d --name box busybox sleep 1000
        check "$2: and why" says 'disk +not limited: the file system of /srv/' casemate explain --no-trunc box
        check "$2: a limit that cannot be kept is refused" denies 'prjquota' casemate run --rm --storage-opt size=10m busybox true
        check "$2: rm" casemate rm -f box
    fi
    check "$2: nothing holds it" umount "$CASEMATE_ROOT"
}

store_on /dev/vdd ext4 prjquota quota
store_on /dev/vde xfs prjquota quota
store_on /dev/vdf btrfs noatime none
finish
