"""What a user gets: result files, tables, pictures, clicks."""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    result=("grid_result", "write_result"),
    sonify=("mix_clicks",),
)
