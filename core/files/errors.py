from core.kernel import DomainError, Kind


class FileNotFound(DomainError):
    """No such file, not one that may be seen, or one that went with its message."""

    kind = Kind.NOT_FOUND
    code = "file_not_found"
    says = "File not found"


class UploadNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "upload_not_found"
    says = "There is no such upload; begin it again"


class UploadExpired(DomainError):
    kind = Kind.FORBIDDEN
    code = "upload_expired"
    says = "The time for this upload is over; begin it again"


class UploadUsed(DomainError):
    """Each address takes one file, and each token completes one upload."""

    kind = Kind.CONFLICT
    code = "upload_used"
    says = "This upload was done before; begin another one"


class UploadIncomplete(DomainError):
    kind = Kind.CONFLICT
    code = "upload_incomplete"
    says = "The file has not arrived yet: send it to the upload's address first"


class TooManyUploads(DomainError):
    """Facts: `limit`."""

    kind = Kind.CONFLICT
    code = "too_many_uploads"
    says = "At most {limit} files may wait to be sent in a message; send these first, or try again later"


class FileTooLarge(DomainError):
    """Facts: `limit` in bytes."""

    kind = Kind.TOO_LARGE
    code = "file_too_large"
    says = "A file may have at most {limit} bytes"


class FileTypeRefused(DomainError):
    """Facts: `reason`, a clause about the file."""

    kind = Kind.UNSUPPORTED
    code = "file_type_refused"
    says = "This kind of file can't be taken: {reason}"
