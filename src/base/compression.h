/* SPDX-License-Identifier: Apache-2.0 */
/* How the tar stream of a layer is compressed: said by the media type in the manifest, or found by looking at the first bytes. */
#pragma once

enum layer_compression {
    LAYER_DETECT = 0, /* by the magic number of the stream; for Docker archives, which do not say */
    LAYER_PLAIN = 1,
    LAYER_GZIP = 2,
    LAYER_ZSTD = 3,
};
