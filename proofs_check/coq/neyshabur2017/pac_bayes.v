(* Neyshabur et al. 2017, eqs 5 to 7: the PAC-Bayes bound with one root follows from McAllester's with two terms. *)

From Coq Require Import Reals Lra.
Open Scope R_scope.

(* N7: A = KL + ln(2 m / delta), K = 2 A / (m - 1); q and b are the training losses of the perturbed predictor, on average,
   and of f_w, and p is the expected loss of the perturbed one. *)
Theorem one_root m A q b p :
  2 <= m -> 0 <= A -> 0 <= q <= 1 -> p <= 1 -> p <= q + sqrt (q * (2 * A / (m - 1))) + 2 * A / (m - 1) ->
  p <= b + (q - b) + 4 * sqrt (/ m * A).
Proof.
  intros m_two A_pos q_unit p_unit five. set (K := 2 * A / (m - 1)) in *.
  assert (K_pos : 0 <= K) by (unfold K; apply Rmult_le_pos; [lra | left; apply Rinv_0_lt_compat; lra]).
  assert (K_four : K <= 4 * (/ m * A)).
  { unfold K. apply (Rmult_le_reg_r (m * (m - 1))); [apply Rmult_lt_0_compat; lra|].
    replace (2 * A / (m - 1) * (m * (m - 1))) with (2 * A * m) by (field; lra).
    replace (4 * (/ m * A) * (m * (m - 1))) with (4 * A * (m - 1)) by (field; lra).
    pose proof (Rmult_le_pos A (m - 2) A_pos ltac:(lra)). lra. }
  assert (root : sqrt K <= 2 * sqrt (/ m * A)).
  { replace 2 with (sqrt 4) by (replace 4 with (2 * 2) by ring; apply sqrt_square; lra).
    rewrite <- sqrt_mult_alt by lra. apply sqrt_le_1_alt. exact K_four. }
  pose proof (sqrt_pos K) as root_pos. pose proof (sqrt_sqrt K K_pos) as root_square.
  destruct (Rle_dec K 1) as [small | large].
  - assert (product : sqrt (q * K) <= sqrt K) by
      (apply sqrt_le_1_alt; rewrite <- (Rmult_1_l K) at 2; apply Rmult_le_compat_r; lra).
    assert (root_small : sqrt K <= 1) by (rewrite <- sqrt_1; apply sqrt_le_1_alt; exact small).
    assert (sqrt K * sqrt K <= 1 * sqrt K) by (apply Rmult_le_compat_r; lra).
    lra.
  - assert (1 <= sqrt K) by (rewrite <- sqrt_1; apply sqrt_le_1_alt; lra). lra.
Qed.
