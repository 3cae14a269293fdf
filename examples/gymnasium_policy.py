"""PKPO on a Gymnasium environment: n episodes from one start are a group, their returns its rewards."""

from __future__ import annotations

import gymnasium
import torch
from torch import nn

import pkpo


def episode(env: gymnasium.Env, policy: nn.Module, seed: int) -> tuple[float, torch.Tensor]:
    """The return of one episode and the log-probability of its actions."""
    observation, _ = env.reset(seed=seed)
    total, log_prob, over = 0.0, torch.zeros(()), False
    while not over:
        choice = torch.distributions.Categorical(logits=policy(torch.as_tensor(observation)))
        action = choice.sample()
        observation, reward, ended, cut, _ = env.step(action.item())
        total, log_prob, over = (
            total + float(reward),
            log_prob + choice.log_prob(action),
            ended or cut,
        )
    return total, log_prob


def main(updates: int = 20, n: int = 8, k: int = 4, seed: int = 0) -> list[float]:
    """Train on CartPole for the best of k episodes from the same start; max@k of each update."""
    torch.manual_seed(seed)
    env = gymnasium.make("CartPole-v1", max_episode_steps=100)
    policy = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.02)
    estimates = []
    for update in range(updates):
        returns, log_probs = zip(*(episode(env, policy, update) for _ in range(n)), strict=True)
        weights = pkpo.transform(torch.tensor(returns), k)
        loss = -(weights * torch.stack(log_probs)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        estimates.append(float(pkpo.rho(torch.tensor(returns), k)))
    return estimates


if __name__ == "__main__":
    found = main()
    print("max@4, first and last five updates:", sum(found[:5]) / 5, sum(found[-5:]) / 5)
