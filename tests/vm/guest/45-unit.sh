# SPDX-License-Identifier: Apache-2.0
# The unit tests, on a machine of an architecture on which ./check does not run.
. /opt/vm/guest/lib.sh
for program in /opt/vm/units/test_*; do
    check "$(basename "$program")" "$program"
done
finish
