"""What the columns of a data set of cut-outs mean, and in which units."""

MEANINGS = {
    "image": "the cut-out: RGBA, straight alpha, sRGB; square, at most 256 pixels wide",
    "file_name": "the cut-out's file beside this table",
    "assetID": "id of the photograph, unique in this data set",
    "specimen": "the specimen it shows; the split follows from it",
    "sourceID": "what the source calls the photograph, where that is not its assetID",
    "sha256": "of the photograph's file",
    "width": "of the photograph, in pixels",
    "height": "of the photograph, in pixels",
    "sex": "male, female or gynandromorph, from verbatimSex",
    "verbatimSex": "sex as the record puts it",
    "decimalLatitude": "degrees, positive north of the equator",
    "decimalLongitude": "degrees, positive east of Greenwich",
    "year": "of collecting",
    "month": "of collecting, 1 to 12",
    "day": "of collecting, 1 to 31",
    "view": "which side of the specimen, as the record puts it",
    "associatedMedia": "address of the photograph",
    "creator": "who made the photograph",
    "license": "of the photograph",
    "rightsHolder": "of the photograph",
    "recordLicense": "of the record",
    "cutout_view": "dorsal or ventral, where the record says so",
    "bibliographicCitation": "how to cite it",
    "record": "address of the record's page, else of the photograph",
    "box_x": "left edge of the mask in the photograph, pixels",
    "box_y": "upper edge of the mask in the photograph, pixels",
    "box_w": "width of the mask before rotation, photograph pixels",
    "box_h": "height of the mask before rotation, photograph pixels",
    "centre_x": "what lies in the middle of the cut-out, photograph pixels",
    "centre_y": "likewise, downwards",
    "rotation": "degrees counter-clockwise that were applied to bring the specimen upright",
    "rotation_confidence": "0 to 1, that it is known how the specimen lies",
    "scale": "cut-out pixels per photograph pixel",
    "mm_per_px": "millimetres per photograph pixel",
    "mm_confidence": "0 to 1, that mm_per_px is right",
    "foreground_share": "part of the photograph that the mask covers, 0 to 1",
    "touches_border": "whether the mask touches the photograph's border",
    "components": "connected parts of the mask before cleaning",
    "asymmetry": "1 - IoU of the mask with its mirror image, 0 to 1",
    "solidity": "area of the mask over that of its convex hull, 0 to 1",
    "confidence": "0 to 1, of the mask; 1 for pictures that brought their own transparency",
    "damage": "0 to 1, high where a wing is missing; little said where rotation_confidence is low",
}
"""Columns that need a word."""

OF_CUTOUT = "measured on the cut-out or its photograph"
OF_RECORD = "as recorded"
OF_SOURCE = "a further column of the source"

LEFT_OUT = {
    "unreadable": "could not be read",
    "missing": "are not at hand, or no longer listed",
    "no_specimen": "show no specimen that was found",
    "refused": "were refused, such as for a background that is not clean enough",
    "failed": "could not be fetched or cut out",
    "withdrawn": "were withdrawn",
}
"""Status -> what it says of photographs."""
