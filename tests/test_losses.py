import pytest
import torch

from butterflies.encoding import losses

PICTURE = torch.full((1, 3, 8, 8), 0.5)
ALPHA = torch.zeros(1, 1, 8, 8)
ALPHA[..., :4] = 1


def off(row: int, column: int, change: tuple[float, float, float]) -> torch.Tensor:
    changed = PICTURE.clone()
    changed[0, :, row, column] += torch.tensor(change)
    return changed


def pixels(shown: torch.Tensor, foreground: float = 0.0, hue: float = 0.0) -> float:
    return float(losses.pixel_loss(shown, PICTURE, ALPHA, foreground, hue))


def test_the_specimen_counts_more_than_the_background() -> None:
    grey = (0.3, 0.3, 0.3)
    assert pixels(off(0, 0, grey)) == pytest.approx(pixels(off(0, 7, grey)))
    inside, outside = pixels(off(0, 0, grey), 3.0), pixels(off(0, 7, grey), 3.0)
    assert inside / outside == pytest.approx(4)


def test_a_wrong_hue_counts_more_than_a_wrong_lightness() -> None:
    grey, hue = off(0, 0, (0.2, 0.2, 0.2)), off(0, 0, (0.3, -0.15, -0.15))
    assert pixels(grey) == pytest.approx(pixels(hue))
    assert pixels(grey, hue=2.0) == pytest.approx(pixels(grey))
    assert pixels(hue, hue=2.0) == pytest.approx(3 * pixels(hue))


def test_beyond_white_or_black_is_white_or_black() -> None:
    extreme = torch.cat([torch.ones(1, 3, 8, 4), torch.zeros(1, 3, 8, 4)], 3)
    beyond, short = extreme * 1.6 - 0.3, extreme * 0.4 + 0.3
    assert float(losses.pixel_loss(beyond, extreme, ALPHA, 1.0, 1.0)) == 0
    assert float(losses.pixel_loss(short, extreme, ALPHA, 1.0, 1.0)) > 0


def test_gradients_see_edges_and_not_lightness() -> None:
    assert float(losses.gradient_loss(PICTURE + 0.2, PICTURE)) == pytest.approx(0, abs=1e-6)
    spot = float(losses.gradient_loss(off(3, 3, (0.2, 0.2, 0.2)), PICTURE))
    chequered = PICTURE + 0.2 * ((torch.arange(8)[:, None] + torch.arange(8)) % 2)
    assert 0 < spot < float(losses.gradient_loss(chequered, PICTURE))


def test_the_kl_divergence_is_that_of_normal_distributions() -> None:
    mean, variance = torch.tensor([[0.0, 1.0, -2.0]]), torch.tensor([[1.0, 0.5, 2.0]])
    known = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, variance.sqrt()), torch.distributions.Normal(0.0, 1.0)
    )
    assert torch.allclose(losses.kl_divergence(mean, variance.log()), known.mean())


def test_disagreement_is_0_for_the_same_and_1_for_strangers_at_any_scale() -> None:
    first, other = torch.randn(2, 4000, 6, generator=torch.Generator().manual_seed(0))
    assert float(losses.disagreement(first, first)) == 0
    for scale in (0.01, 1.0, 100.0):
        found = float(losses.disagreement(scale * first + 3, scale * other + 3))
        assert found == pytest.approx(1, abs=0.03)


def test_correlation_sees_numbers_that_say_the_same() -> None:
    random = torch.randn(4000, 5, generator=torch.Generator().manual_seed(0))
    assert float(losses.correlation_loss(random)) < 0.001
    assert float(losses.correlation_loss(random[:, :1].repeat(1, 5))) == pytest.approx(1, abs=1e-4)
    assert float(losses.correlation_loss(random * 50 + 2)) < 0.001


def test_variance_counts_only_what_varies_too_little() -> None:
    random = torch.randn(4000, 5, generator=torch.Generator().manual_seed(0))
    assert float(losses.variance_loss(random * 2)) == 0
    assert float(losses.variance_loss(random * 0.5)) == pytest.approx(0.5, abs=0.02)


def test_the_contrast_is_least_where_views_of_a_picture_lie_together() -> None:
    first = torch.eye(6)
    together = float(losses.contrastive_loss(first, first, 0.1))
    astray = float(losses.contrastive_loss(first, first.roll(1, 0), 0.1))
    alike = float(losses.contrastive_loss(torch.ones(6, 6), torch.ones(6, 6), 0.1))
    assert together < 0.01 < alike < astray
    assert alike == pytest.approx(float(torch.tensor(11.0).log()), abs=1e-4)
