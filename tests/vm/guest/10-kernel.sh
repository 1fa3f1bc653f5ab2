# SPDX-License-Identifier: Apache-2.0
# The ground that the other scripts stand on: this is the kernel and the set-up that they mean to test.
. /opt/vm/guest/lib.sh

kernel=$(sed -n 's/^kernel=//p' /opt/vm/machine)
check "this is Debian's kernel $kernel" bash -c "uname -r | grep -qF '$kernel'"

for controller in cpuset cpu io memory pids; do
    check "cgroup v2 has the controller $controller" grep -qw $controller /sys/fs/cgroup/cgroup.controllers
    check "$controller is delegated below the root" grep -qw $controller /sys/fs/cgroup/cgroup.subtree_control
done
check "no cgroup v1 hierarchy is mounted" bash -c '! grep -q " - cgroup " /proc/self/mountinfo'

is "AppArmor is enabled" Y "$(cat /sys/module/apparmor/parameters/enabled)"
check "the root is ext4" grep -q ' / / rw.* - ext4 ' /proc/self/mountinfo

overlay_userxattr()
{
    mkdir -p /var/tmp/o/{lower,upper,work,merged}
    echo below >/var/tmp/o/lower/file
    unshare -m bash -c 'mount -t overlay overlay -o userxattr,lowerdir=/var/tmp/o/lower,upperdir=/var/tmp/o/upper,workdir=/var/tmp/o/work /var/tmp/o/merged &&
        echo above >/var/tmp/o/merged/file' && [ "$(cat /var/tmp/o/lower/file) $(cat /var/tmp/o/upper/file)" = "below above" ]
}
check "overlay takes userxattr on ext4" overlay_userxattr
finish
