"""
ICertAdminD and ICertAdminD2 for impacket's DCOM runtime, laid out from the IDL of MS-CSRA section 6: NAME and NAMEResponse for
each method, as INTERFACE.request() wants them. Shares nothing with the server's tables.

    request = icertadmind.call("OpenView", ccvr=1, acvr=[...])
"""
import struct
import sys

from impacket import uuid
from impacket.dcerpc.v5.dcom.oaut import VARIANT
from impacket.dcerpc.v5.dcomrt import DCOMANSWER, DCOMCALL
from impacket.dcerpc.v5.dtypes import BYTE, DWORD, FILETIME, LONG, LPWSTR, NULL, ULONG, ULONGLONG, USHORT, WSTR
from impacket.dcerpc.v5.ndr import NDRPOINTER, NDRSTRUCT, NDRUniConformantArray
from impacket.dcerpc.v5.rpcrt import DCERPCException

CLSID_CCertAdminD = uuid.string_to_bin("d99e6e73-fc88-11d0-b498-00a0c90312f3")
IID_ICertAdminD = uuid.uuidtup_to_bin(("d99e6e71-fc88-11d0-b498-00a0c90312f3", "0.0"))
IID_ICertAdminD2 = uuid.uuidtup_to_bin(("7fe0d935-dda6-443f-85d0-1cfb58fe41dd", "0.0"))


class BYTE_ARRAY(NDRUniConformantArray):
    item = "c"


class PBYTE_ARRAY(NDRPOINTER):
    referent = (("Data", BYTE_ARRAY),)


class WORD_ARRAY(NDRUniConformantArray):
    item = "<H"


class PWORD_ARRAY(NDRPOINTER):
    referent = (("Data", WORD_ARRAY),)


class DWORD_ARRAY(NDRUniConformantArray):
    item = "<L"


class CERTTRANSBLOB(NDRSTRUCT):
    structure = (("cb", ULONG), ("pb", PBYTE_ARRAY))


class CERTVIEWRESTRICTION(NDRSTRUCT):
    structure = (("ColumnIndex", DWORD), ("SeekOperator", LONG), ("SortOrder", LONG), ("pbValue", PBYTE_ARRAY),
                 ("cbValue", DWORD))


class CERTVIEWRESTRICTION_ARRAY(NDRUniConformantArray):
    item = CERTVIEWRESTRICTION


class HRESULT_ERROR(DCERPCException):
    def __str__(self):
        return f"ICertAdminD: HRESULT 0x{self.error_code & 0xffffffff:08x}"


DCERPCSessionError = HRESULT_ERROR  # the name impacket looks for

AUTHORITY = ("pwszAuthority", LPWSTR)
REQUEST = ("dwRequestId", DWORD)
WHEN = ("FileTime", FILETIME)


def blob(name):
    return (name, CERTTRANSBLOB)


ROWS = (("pceltFetched", DWORD), blob("pctbResultRows"))
INFOS = (("pcColumn", DWORD), blob("pctbColumnInfo"))
FILES = (("ppwszzFiles", PWORD_ARRAY), ("pcwcFiles", LONG))

METHODS = {  # name: opnum, in, out without the HRESULT
    "SetExtension": (3, (AUTHORITY, REQUEST, ("pwszExtensionName", LPWSTR), ("dwType", DWORD), ("dwFlags", DWORD),
                         blob("pctbValue")), ()),
    "SetAttributes": (4, (AUTHORITY, REQUEST, ("pwszAttributes", LPWSTR)), ()),
    "ResubmitRequest": (5, (AUTHORITY, REQUEST), (("pdwDisposition", DWORD),)),
    "DenyRequest": (6, (AUTHORITY, REQUEST), ()),
    "IsValidCertificate": (7, (AUTHORITY, ("pSerialNumber", LPWSTR)), (("pRevocationReason", LONG), ("pDisposition", LONG))),
    "PublishCRL": (8, (AUTHORITY, WHEN), ()),
    "GetCRL": (9, (AUTHORITY,), (blob("pctbCRL"),)),
    "RevokeCertificate": (10, (AUTHORITY, ("pwszSerialNumber", LPWSTR), ("Reason", DWORD), WHEN), ()),
    "EnumViewColumn": (11, (AUTHORITY, ("iColumn", DWORD), ("cColumn", DWORD)), INFOS),
    "GetViewDefaultColumnSet": (12, (AUTHORITY, ("iColumnSetDefault", DWORD)), INFOS),
    "EnumAttributesOrExtensions": (13, (AUTHORITY, ("RowId", DWORD), ("Flags", DWORD), ("pwszLast", LPWSTR), ("celt", DWORD)),
                                   (("pceltFetched", DWORD), blob("pctbOut"))),
    "OpenView": (14, (AUTHORITY, ("ccvr", DWORD), ("acvr", CERTVIEWRESTRICTION_ARRAY), ("ccolOut", DWORD),
                      ("acolOut", DWORD_ARRAY), ("ielt", DWORD), ("celt", DWORD)), ROWS),
    "EnumView": (15, (AUTHORITY, ("ielt", DWORD), ("celt", DWORD)), ROWS),
    "CloseView": (16, (AUTHORITY,), ()),
    "ServerControl": (17, (AUTHORITY, ("dwControlFlags", DWORD)), (blob("pctbOut"),)),
    "Ping": (18, (AUTHORITY,), ()),
    "GetServerState": (19, (AUTHORITY,), (("pdwState", DWORD),)),
    "BackupPrepare": (20, (AUTHORITY, ("grbitJet", ULONG), ("dwBackupFlags", ULONG), ("pwszBackupAnnotation", USHORT),
                           ("dwClientIdentifier", DWORD)), ()),
    "BackupEnd": (21, (), ()),
    "BackupGetAttachmentInformation": (22, (), FILES),
    "BackupGetBackupLogs": (23, (), FILES),
    "BackupOpenFile": (24, (("pwszPath", LPWSTR),), (("pliLength", ULONGLONG),)),
    "BackupReadFile": (25, (("cbBuffer", LONG),), (("pbBuffer", BYTE_ARRAY), ("pcbRead", LONG))),
    "BackupCloseFile": (26, (), ()),
    "BackupTruncateLogs": (27, (), ()),
    "ImportCertificate": (28, (AUTHORITY, blob("pctbCertificate"), ("dwFlags", LONG)), (("pdwRequestId", LONG),)),
    "BackupGetDynamicFiles": (29, (), FILES),
    "RestoreGetDatabaseLocations": (30, (), FILES),
    "PublishCRLs": (31, (AUTHORITY, WHEN, ("Flags", DWORD)), ()),
    "GetCAProperty": (32, (AUTHORITY, ("PropId", LONG), ("PropIndex", LONG), ("PropType", LONG)),
                      (blob("pctbPropertyValue"),)),
    "SetCAProperty": (33, (AUTHORITY, ("PropId", LONG), ("PropIndex", LONG), ("PropType", LONG), blob("pctbPropertyValue")),
                      ()),
    "GetCAPropertyInfo": (34, (AUTHORITY,), (("pcProperty", LONG), blob("pctbPropInfo"))),
    "EnumViewColumnTable": (35, (AUTHORITY, ("iTable", DWORD), ("iColumn", DWORD), ("cColumn", DWORD)), INFOS),
    "GetCASecurity": (36, (AUTHORITY,), (blob("pctbSD"),)),
    "SetCASecurity": (37, (AUTHORITY, blob("pctbSD")), ()),
    "Ping2": (38, (AUTHORITY,), ()),
    "GetArchivedKey": (39, (AUTHORITY, REQUEST), (blob("pctbArchivedKey"),)),
    "GetAuditFilter": (40, (AUTHORITY,), (("pdwFilter", DWORD),)),
    "SetAuditFilter": (41, (AUTHORITY, ("dwFilter", DWORD)), ()),
    "GetOfficerRights": (42, (AUTHORITY,), (("pfEnabled", LONG), blob("pctbSD"))),
    "SetOfficerRights": (43, (AUTHORITY, ("fEnable", LONG), blob("pctbSD")), ()),
    "GetConfigEntry": (44, (AUTHORITY, ("pwszNodePath", LPWSTR), ("pwszEntry", WSTR)), (("pVariant", VARIANT),)),
    "SetConfigEntry": (45, (AUTHORITY, ("pwszNodePath", LPWSTR), ("pwszEntry", WSTR), ("pVariant", VARIANT)), ()),
    "ImportKey": (46, (AUTHORITY, REQUEST, ("pwszCertHash", LPWSTR), ("dwFlags", DWORD), blob("pctbKey")), ()),
    "GetMyRoles": (47, (AUTHORITY,), (("pdwRoles", LONG),)),
    "DeleteRow": (48, (AUTHORITY, ("dwFlags", DWORD), WHEN, ("dwTable", DWORD), ("dwRowId", DWORD)), (("pcDeleted", LONG),)),
}

for _name, (_opnum, _in, _out) in METHODS.items():
    for _class, _base, _fields in ((_name, DCOMCALL, _in), (_name + "Response", DCOMANSWER, _out + (("ErrorCode", ULONG),))):
        setattr(sys.modules[__name__], _class, type(_class, (_base,), {
            "__module__": __name__, "opnum": _opnum, "structure": _fields}))


def filetime(value):
    out = FILETIME()
    out["dwLowDateTime"] = value & 0xffffffff
    out["dwHighDateTime"] = struct.unpack("<l", struct.pack("<L", value >> 32))[0]
    return out


def as_blob(data):
    out = CERTTRANSBLOB()
    out["cb"] = len(data)
    out["pb"] = [data[i:i + 1] for i in range(len(data))] if data else NULL
    return out


def restriction(column, seek=0, sort=0, value=b""):
    out = CERTVIEWRESTRICTION()
    out["ColumnIndex"], out["SeekOperator"], out["SortOrder"], out["cbValue"] = column, seek, sort, len(value)
    out["pbValue"] = [value[i:i + 1] for i in range(len(value))] if value else NULL
    return out


def call(name, **values):
    """The request with these arguments; text with its NUL added, bytes as CERTTRANSBLOB, int as FILETIME where one is due."""
    request = getattr(sys.modules[__name__], name)()
    for field, kind in METHODS[name][1]:
        value = values.pop(field, NULL if kind is LPWSTR else None)
        if kind in (LPWSTR, WSTR) and value is not NULL:
            value += "\0"
        elif kind is CERTTRANSBLOB:
            value = as_blob(value or b"")
        elif kind is FILETIME:
            value = filetime(value or 0)
        elif kind is DWORD_ARRAY or kind is CERTVIEWRESTRICTION_ARRAY:
            value = list(value or [])
        request[field] = value if value is not None else 0
    assert not values, f"{name} has no {', '.join(values)}"
    return request


def octets(value):
    """Of an answer's CERTTRANSBLOB."""
    return b"".join(value["pb"]) if value["cb"] else b""
