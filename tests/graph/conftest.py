"""See tests.static."""

from tests.static import static_programs_alone  # noqa: F401
