"""Names of columns: Darwin Core's spelling for its terms, other headers as they are.

Darwin Core: https://dwc.tdwg.org/terms/. Audubon Core: https://ac.tdwg.org/termlist/.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

DARWIN_CORE = """
    acceptedNameUsage acceptedNameUsageID accessRights associatedMedia associatedOccurrences
    associatedOrganisms associatedReferences associatedSequences associatedTaxa basisOfRecord
    bibliographicCitation catalogNumber class collectionCode collectionID continent
    coordinatePrecision coordinateUncertaintyInMeters country countryCode county cultivarEpithet
    dataGeneralizations datasetID datasetName dateIdentified day decimalLatitude decimalLongitude
    degreeOfEstablishment disposition dynamicProperties endDayOfYear establishmentMeans eventDate
    eventID eventRemarks eventTime eventType family fieldNotes fieldNumber footprintSRS
    footprintSpatialFit footprintWKT genericName genus geodeticDatum georeferenceProtocol
    georeferenceRemarks georeferenceSources georeferenceVerificationStatus georeferencedBy
    georeferencedDate habitat higherClassification higherGeography higherGeographyID
    identificationID identificationQualifier identificationReferences identificationRemarks
    identificationVerificationStatus identifiedBy identifiedByID individualCount individualID
    informationWithheld infragenericEpithet infraspecificEpithet institutionCode institutionID
    island islandGroup kingdom language license lifeStage locality locationAccordingTo locationID
    locationRemarks materialEntityID materialSampleID maximumDepthInMeters
    maximumDistanceAboveSurfaceInMeters maximumElevationInMeters minimumDepthInMeters
    minimumDistanceAboveSurfaceInMeters minimumElevationInMeters modified month municipality
    nameAccordingTo nameAccordingToID namePublishedIn namePublishedInID namePublishedInYear
    nomenclaturalCode nomenclaturalStatus occurrenceID occurrenceRemarks occurrenceStatus order
    organismID organismName organismQuantity organismQuantityType organismRemarks organismScope
    originalNameUsage originalNameUsageID otherCatalogNumbers ownerInstitutionCode parentEventID
    parentNameUsage parentNameUsageID pathway phylum pointRadiusSpatialFit preparations
    previousIdentifications projectID projectTitle recordNumber recordedBy recordedByID references
    reproductiveCondition rightsHolder sampleSizeUnit sampleSizeValue samplingEffort
    samplingProtocol scientificName scientificNameAuthorship scientificNameID sex specificEpithet
    startDayOfYear stateProvince subfamily subgenus subtribe superfamily taxonConceptID taxonID
    taxonRank taxonRemarks taxonomicStatus tribe type typeStatus verbatimCoordinateSystem
    verbatimCoordinates verbatimDepth verbatimElevation verbatimEventDate verbatimIdentification
    verbatimLabel verbatimLatitude verbatimLocality verbatimLongitude verbatimSRS verbatimSex
    verbatimTaxonRank vernacularName verticalDatum vitality waterBody year
    assetID gbifID"""
"""Terms of Darwin Core that a specimen may have, and two ids that travel with it."""

_PREFIX = re.compile(r"^(dwc|dcterms|dc|ac|exif|gbif|xmp|xmprights):", re.IGNORECASE)
_SPELLING = {name.lower(): name for name in DARWIN_CORE.split()}


@lru_cache(maxsize=4096)
def column_name(header: str) -> str:
    """The name of a column by its header or by the URI of its term.

    >>> column_name("Type Status"), column_name("http://rs.tdwg.org/dwc/terms/country")
    ('typeStatus', 'country')
    >>> column_name("Additional notes")
    'Additional notes'
    """
    name = _PREFIX.sub("", last_part(header), count=1)
    return _SPELLING.get(re.sub(r"[\s_]", "", name).lower(), name)


def last_part(uri: str) -> str:
    """What a URI calls its term; a text that is no URI stays as it is."""
    text = uri.strip()
    return re.split(r"[/#]", text.rstrip("/#"))[-1] if "://" in text else text


def record_fields(texts: Mapping[str, str]) -> dict[str, str]:
    """A core row as a record's fields.

    The portal keeps all that is not Darwin Core as JSON in `dynamicProperties` (portal 1.8): it
    is spread into columns.
    """
    fields = dict(texts)
    found = _object(fields.get("dynamicProperties", ""))
    if found is not None:
        del fields["dynamicProperties"]
        for key, value in found.items():
            if text := value.strip() if isinstance(value, str) else _text(value):
                fields.setdefault(column_name(key), text)
    return fields


def _object(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and not any(isinstance(part, (dict, list)) for part in value):
        return " | ".join(_text(part) for part in value).strip(" |")
    if type(value) in (int, float):
        return str(value)
    return "" if value is None or value in ({}, []) else json.dumps(value, ensure_ascii=False)
