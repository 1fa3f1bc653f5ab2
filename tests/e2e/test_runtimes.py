# SPDX-License-Identifier: Apache-2.0
"""Real programs from Debian's packages see the limits of their container, without a flag of theirs."""
import re

import pytest

MIB = 1 << 20
IMAGE = "programs:latest"


@pytest.mark.slow
@pytest.mark.row(45)
def test_row_45_openjdk_sees_its_limits(programs):
    out = programs.run("run", "--rm", "--memory", "400m", "--cpus", "1", IMAGE, "java", "-XshowSettings:system", "-version",
                       timeout=300)
    assert out.status == 0, out
    shown = out.out + out.err
    assert re.search(r"Memory Limit: 400\.00M", shown), shown
    assert re.search(r"Effective CPU Count: 1\b", shown), shown


@pytest.mark.slow
@pytest.mark.row(45)
def test_row_45_openjdk_sizes_its_heap_by_it(programs):
    out = programs.run("run", "--rm", "--memory", "400m", IMAGE, "java", "-XX:+PrintFlagsFinal", "-version", timeout=300)
    heap = int(re.search(r"MaxHeapSize\s+=\s+(\d+)", out.out).group(1))
    assert heap <= 200 * MIB, heap  # a quarter of the memory; half when there is little


@pytest.mark.slow
@pytest.mark.row(45)
def test_row_45_node_sizes_its_heap_by_it(programs):
    script = "console.log(require('v8').getHeapStatistics().heap_size_limit)"
    small, large = (int(programs.ok("run", "--rm", "--memory", size, IMAGE, "node", "-e", script, timeout=300))
                    for size in ("300m", "1500m"))
    assert small < 400 * MIB < large, (small, large)
