"""PKPO without any trainer: sample groups, score them, one line, one step."""

from __future__ import annotations

import torch

import pkpo


def main(updates: int = 300, n: int = 16, k: int = 8, seed: int = 0) -> torch.Tensor:
    """Train a softmax over two arms; its probabilities.

    The safe arm is worth .6 always, the gamble 1 or 0 with equal chances: one is the better single
    attempt, the other the better eight.
    """
    torch.manual_seed(seed)
    logits = torch.zeros(2, requires_grad=True)  # the safe arm, the gamble
    optimizer = torch.optim.Adam([logits], lr=0.05)
    for _ in range(updates):
        policy = torch.distributions.Categorical(logits=logits)
        arms = policy.sample((32, n))  # 32 groups of n samples
        lucky = (torch.rand(32, n) < 0.5).float()
        rewards = torch.where(arms == 0, 0.6, lucky)
        weights = pkpo.transform(rewards, k)  # the one line
        loss = -(weights * policy.log_prob(arms)).sum(1).mean()  # summed over a group
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return logits.softmax(0).detach()


if __name__ == "__main__":
    for attempts in (1, 8):
        safe, gamble = main(k=attempts).tolist()
        print(f"k = {attempts}: safe arm {safe:.2f}, gamble {gamble:.2f}")
