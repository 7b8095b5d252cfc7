from core.kernel import DomainError, Kind


class ProductNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "product_not_found"
    says = "Product not found"


class ProductExists(DomainError):
    """The shop has a product with this id."""

    kind = Kind.CONFLICT
    code = "product_exists"
    says = "A product with this id exists already"


class OutOfStock(DomainError):
    kind = Kind.CONFLICT
    code = "out_of_stock"
    says = "Only {stock} of {product} left"
