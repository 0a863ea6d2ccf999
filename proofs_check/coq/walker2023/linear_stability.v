(* Walker 2023, section 2.2: linear stability of mini-batch SGD in mean square (Theorem 2.4, Remark 2.5; W1, W2).

   Vectors, matrices, steps and expectations are those of mulayoff2021/stability.v: any dimension. The batches
   are all sublists of B of the n samples, equally likely and independent from step to step. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums batches mulayoff2021.stability.
Import ListNotations.
Open Scope R_scope.

Lemma mean_map {A B : Type} (f : B -> R) (h : A -> B) (l : list A) : mean f (map h l) = mean (fun a => f (h a)) l.
Proof. unfold mean. now rewrite map_length, sum_map. Qed.

Section Stability.
  Context {A : Type}.
  Variable coordinates : list A.
  Notation dot := (dot coordinates).
  Notation apply := (apply coordinates).
  Notation descent_step := (descent_step coordinates).

  (* Definition 2.2: "linearly stable if there exists C such that E ||w_t||^2 <= C ||w_0||^2 for all t > 0". *)
  Definition mean_square_stable (eta : R) (draws : list batch) : Prop :=
    exists C, forall t v, expectation coordinates eta draws t (fun w => dot w w) v <= C * dot v v.

  (* The mean of Hessians, of all samples or of a batch; at the minimum the gradients of all samples are 0. *)
  Definition mean_matrix (Hs : list (A -> A -> R)) : A -> A -> R := fun p q => mean (fun H => H p q) Hs.
  Definition sgd_draws (B : nat) (Hs : list (A -> A -> R)) : list batch :=
    map (fun b => Batch (fun _ => 0) (mean_matrix b)) (batches B Hs).

  (* Sigma = mean H_i^2 - H^2 (Definition 2.3) and (1 - eta H)^2 + eta^2 p Sigma (Theorem 2.4), as linear maps. *)
  Definition sigma (Hs : list (A -> A -> R)) (v : A -> R) : A -> R :=
    fun p => mean (fun H => apply H (apply H v) p) Hs - apply (mean_matrix Hs) (apply (mean_matrix Hs) v) p.
  Definition condition_map (eta : R) (B : nat) (Hs : list (A -> A -> R)) (v : A -> R) : A -> R :=
    fun p => descent_step eta (mean_matrix Hs) (descent_step eta (mean_matrix Hs) v) p
      + eta ^ 2 * noise_share (length Hs) B * sigma Hs v p.
  (* lambda_max(..) <= 1 *)
  Definition stability_condition (eta : R) (B : nat) (Hs : list (A -> A -> R)) : Prop :=
    forall v, dot v (condition_map eta B Hs v) <= dot v v.

  Lemma apply_mean Hs v p : apply (mean_matrix Hs) v p = mean (fun H => apply H v p) Hs.
  Proof.
    unfold stability.apply. rewrite mean_sum_swap. apply sum_eq. intros q _.
    unfold mean_matrix, mean, Rdiv. rewrite sum_scal_r. ring.
  Qed.

  Lemma mean_symmetric Hs :
    (forall H, In H Hs -> symmetric coordinates H) -> symmetric coordinates (mean_matrix Hs).
  Proof. intros sym p q Hp Hq. apply mean_eq. intros H HH. now apply sym. Qed.

  Lemma dot_sigma Hs v :
    (forall H, In H Hs -> symmetric coordinates H) ->
    dot v (sigma Hs v)
    = mean (fun H => dot (apply H v) (apply H v)) Hs
      - dot (apply (mean_matrix Hs) v) (apply (mean_matrix Hs) v).
  Proof.
    intros sym. unfold sigma.
    rewrite <- (apply_symmetric coordinates (mean_matrix Hs) v) by now apply mean_symmetric.
    rewrite (mean_eq _ (fun H => dot v (apply H (apply H v))) Hs)
      by (intros H HH; symmetry; apply apply_symmetric; now apply sym).
    unfold stability.dot at 2 3. rewrite mean_sum_swap, <- sum_minus.
    apply sum_eq. intros p _. rewrite mean_scal. ring.
  Qed.

  (* Jensen: Sigma is positive semidefinite. *)
  Lemma sigma_nonneg Hs v :
    Hs <> [] -> (forall H, In H Hs -> symmetric coordinates H) -> 0 <= dot v (sigma Hs v).
  Proof.
    intros nonempty sym. rewrite dot_sigma by easy. unfold stability.dot.
    rewrite mean_sum_swap, <- sum_minus. apply sum_nonneg. intros p _. rewrite apply_mean.
    pose proof (sum_sq_le (fun H => apply H v p) Hs) as jensen. pose proof (length_pos Hs nonempty) as n.
    unfold mean. set (s := sum (fun H => apply H v p) Hs) in *.
    set (q := sum (fun H => apply H v p * apply H v p) Hs) in *.
    replace (q / INR (length Hs) - s / INR (length Hs) * (s / INR (length Hs)))
      with ((INR (length Hs) * q - s * s) * (/ INR (length Hs) * / INR (length Hs))) by (field; lra).
    apply Rmult_le_pos; [lra|]. apply Rlt_le, Rmult_lt_0_compat; now apply Rinv_0_lt_compat.
  Qed.

  Lemma dot_condition eta B Hs v :
    (forall H, In H Hs -> symmetric coordinates H) ->
    dot v (condition_map eta B Hs v)
    = dot (descent_step eta (mean_matrix Hs) v) (descent_step eta (mean_matrix Hs) v)
      + eta ^ 2 * noise_share (length Hs) B * dot v (sigma Hs v).
  Proof.
    intros sym. rewrite <- (descent_step_symmetric coordinates eta (mean_matrix Hs) v) by now apply mean_symmetric.
    unfold stability.dot. rewrite <- sum_scal, <- sum_plus. apply sum_eq. intros p _.
    unfold condition_map. ring.
  Qed.

  (* One step of SGD from v: E ||w_1||^2 = v^T ((1 - eta H)^2 + eta^2 p Sigma) v, over all batches of B. *)
  Lemma one_step eta B Hs v :
    (1 <= B <= length Hs)%nat -> (forall H, In H Hs -> symmetric coordinates H) ->
    mean (fun b => dot (step coordinates eta b v) (step coordinates eta b v)) (sgd_draws B Hs)
    = dot v (condition_map eta B Hs v).
  Proof.
    intros size sym. rewrite dot_condition, dot_sigma by easy. unfold sgd_draws. rewrite mean_map.
    unfold stability.dot. rewrite !mean_sum_swap, <- sum_minus, <- sum_scal, <- sum_plus.
    apply sum_eq. intros p _. unfold step, stability.descent_step. simpl batch_gradient.
    simpl batch_hessian. set (g := fun H => apply H v p).
    rewrite (mean_eq _ (fun b => v p * v p + (-2 * eta * v p) * mean g b + eta ^ 2 * (mean g b * mean g b)))
      by (intros b _; rewrite apply_mean; fold g; ring).
    rewrite !mean_plus, mean_const, !mean_scal by (apply batches_exist; lia).
    rewrite mean_of_batches, square_of_batches, apply_mean by easy. unfold g. cbv beta. ring.
  Qed.

  Lemma draws_exist B Hs : (1 <= B <= length Hs)%nat -> sgd_draws B Hs <> [].
  Proof. intros size E. apply map_eq_nil in E. revert E. apply batches_exist. lia. Qed.

  (* walker2023, Theorem 2.4 (W1): "linearly stable if lambda_max((1 - eta H)^2 + eta^2 (n-B)/(B(n-1)) Sigma) <= 1".
     Any dimension, number of samples and batch size; C = 1. *)
  Theorem condition_suffices eta B Hs :
    (1 <= B <= length Hs)%nat -> (forall H, In H Hs -> symmetric coordinates H) ->
    stability_condition eta B Hs -> mean_square_stable eta (sgd_draws B Hs).
  Proof.
    intros size sym condition. exists 1. intros t. induction t as [|t IH]; intros v; simpl; [lra|].
    rewrite Rmult_1_l. eapply Rle_trans; [|apply condition]. rewrite <- one_step by easy.
    apply mean_le. intros b _. rewrite <- Rmult_1_l. apply IH.
  Qed.

  (* walker2023, Remark 2.5 (W2.a): what the condition of Theorem 2.4 implies, "0 <= a <= 2/eta and
     s <= (1/eta) sqrt(B(n-1)/(n-B))", a = lambda_max(H) and s^2 = lambda_max(Sigma). *)
  Theorem condition_bounds_sharpness_and_spread eta B Hs :
    0 < eta -> (1 <= B < length Hs)%nat -> (forall H, In H Hs -> symmetric coordinates H) ->
    stability_condition eta B Hs ->
    positive_semidefinite coordinates (mean_matrix Hs)
    /\ lambda_max_at_most coordinates (2 / eta) (mean_matrix Hs)
    /\ forall v, dot v (sigma Hs v)
         <= (1 / eta * sqrt (INR B * (INR (length Hs) - 1) / (INR (length Hs) - INR B))) ^ 2 * dot v v.
  Proof.
    intros eta_pos [low high] sym condition. set (n := INR (length Hs)). set (H := mean_matrix Hs).
    assert (1 <= INR B) as B_pos by (apply (le_INR 1); lia).
    assert (INR B < n) as fewer by (apply lt_INR; lia).
    assert (0 < noise_share (length Hs) B) as noise.
    { unfold noise_share. fold n. apply Rdiv_lt_0_compat; [lra|]. apply Rmult_lt_0_compat; lra. }
    assert (Hs <> []) as nonempty by (intros ->; simpl in high; lia).
    assert (forall v, dot v v - 2 * eta * quadratic coordinates H v + eta ^ 2 * dot (apply H v) (apply H v)
        + eta ^ 2 * noise_share (length Hs) B * dot v (sigma Hs v) <= dot v v) as bound.
    { intros v. specialize (condition v). rewrite dot_condition in condition by easy. fold H in condition.
      rewrite dot_descent_step, !(dot_comm coordinates (descent_step _ _ _)), !dot_descent_step,
        (dot_comm coordinates (apply H v) v) in condition. unfold quadratic. lra. }
    assert (forall v, eta * dot (apply H v) (apply H v) <= 2 * quadratic coordinates H v) as image.
    { intros v. specialize (bound v). pose proof (sigma_nonneg Hs v nonempty sym).
      assert (0 <= eta ^ 2 * noise_share (length Hs) B * dot v (sigma Hs v)) by (apply Rmult_le_pos; nra). nra. }
    assert (forall v, 0 <= quadratic coordinates H v) as psd.
    { intros v. pose proof (image v). pose proof (dot_pos coordinates (apply H v)). nra. }
    repeat split; [exact psd| |].
    - intros v. specialize (image v). specialize (psd v). pose proof (dot_pos coordinates v).
      pose proof (cauchy_schwarz v (apply H v) coordinates) as C.
      change (quadratic coordinates H v * quadratic coordinates H v <= dot v v * dot (apply H v) (apply H v)) in C.
      apply (Rmult_le_reg_l eta); [easy|]. replace (eta * (2 / eta * dot v v)) with (2 * dot v v) by (field; lra).
      destruct psd as [psd|<-]; [|lra]. apply (Rmult_le_reg_l (quadratic coordinates H v)); [easy|]. nra.
    - intros v. rewrite Rpow_mult_distr, pow2_sqrt.
      2: { apply Rmult_le_pos; [apply Rmult_le_pos; lra|]. apply Rlt_le, Rinv_0_lt_compat. lra. }
      specialize (bound v). pose proof (sigma_nonneg Hs v nonempty sym).
      assert (eta ^ 2 * noise_share (length Hs) B * dot v (sigma Hs v) <= dot v v).
      { rewrite <- Rplus_0_l at 1. apply Rplus_le_reg_l with (dot (descent_step eta H v) (descent_step eta H v)).
        pose proof (dot_pos coordinates (descent_step eta H v)).
        specialize (condition v). rewrite dot_condition in condition by easy. fold H in condition. lra. }
      replace ((1 / eta) ^ 2 * (INR B * (n - 1) / (n - INR B))) with (/ (eta ^ 2 * noise_share (length Hs) B))
        by (unfold noise_share; fold n; field; repeat split; lra).
      assert (0 < eta ^ 2 * noise_share (length Hs) B) as factor by (apply Rmult_lt_0_compat; nra).
      apply (Rmult_le_reg_l (eta ^ 2 * noise_share (length Hs) B)); [easy|].
      rewrite <- Rmult_assoc, Rinv_r by lra. lra.
  Qed.
End Stability.

(* One dimension: every sample has a second derivative h_i. *)

Definition variance (hs : list R) : R := mean (fun h => h * h) hs - mean (fun h => h) hs * mean (fun h => h) hs.
Definition growth (eta : R) (B : nat) (hs : list R) : R :=
  (1 - eta * mean (fun h => h) hs) ^ 2 + eta ^ 2 * noise_share (length hs) B * variance hs.
Definition on_the_line (hs : list R) : list (unit -> unit -> R) := map (fun h _ _ => h) hs.

(* E w_t^2 = growth^t w_0^2, exactly. *)
Lemma second_moment eta B hs t v :
  (1 <= B <= length hs)%nat ->
  expectation [tt] eta (sgd_draws B (on_the_line hs)) t (fun w => dot [tt] w w) v = growth eta B hs ^ t * (v tt * v tt).
Proof.
  intros size. revert v. induction t as [|t IH]; intros v; [simpl; unfold dot; simpl; ring|].
  simpl. rewrite (mean_eq _ _ _ (fun b _ => IH (step [tt] eta b v))), mean_scal.
  replace (growth eta B hs * growth eta B hs ^ t * (v tt * v tt))
    with (growth eta B hs ^ t * (growth eta B hs * (v tt * v tt))) by ring. f_equal.
  assert (forall H, In H (on_the_line hs) -> symmetric [tt] H) as sym by (intros H _ [] [] _ _; reflexivity).
  pose proof (one_step [tt] eta B (on_the_line hs) v) as one.
  assert (length (on_the_line hs) = length hs) as n by apply map_length.
  rewrite dot_condition, dot_sigma, n in one by easy. specialize (one size sym).
  transitivity (mean (fun b => dot [tt] (step [tt] eta b v) (step [tt] eta b v)) (sgd_draws B (on_the_line hs))).
  { apply mean_eq. intros b _. unfold dot. simpl. ring. }
  rewrite one. unfold growth, variance, dot, descent_step, apply, mean_matrix, on_the_line.
  simpl sum. rewrite !mean_map.
  rewrite (mean_eq (fun a => (a * v tt + 0) * (a * v tt + 0) + 0) (fun a => v tt * v tt * (a * a))) by (intros; ring).
  rewrite mean_scal. ring.
Qed.

(* walker2023, Theorem 2.4 (W1.a): "for d = 1 this is a necessary and sufficient condition", equality included. *)
Theorem line_stable_iff eta B hs :
  (1 <= B <= length hs)%nat ->
  mean_square_stable [tt] eta (sgd_draws B (on_the_line hs)) <-> growth eta B hs <= 1.
Proof.
  intros size. split.
  - intros [C stable]. destruct (Rle_dec (growth eta B hs) 1) as [|above]; [easy|exfalso]. apply Rnot_le_lt in above.
    destruct (powers_unbounded (growth eta B hs) C 0 above) as [k [_ large]].
    specialize (stable (2 ^ k)%nat (fun _ => 1)). rewrite second_moment in stable by easy.
    unfold dot in stable. simpl in stable. lra.
  - intros below. exists 1. intros t v. rewrite second_moment by easy.
    replace (dot [tt] v v) with (v tt * v tt) by (unfold dot; simpl; ring).
    apply Rmult_le_compat_r; [nra|].
    assert (0 <= growth eta B hs) as pos.
    { pose proof (one_step [tt] eta B (on_the_line hs) (fun _ => 1)) as one.
      pose proof (second_moment eta B hs 1 (fun _ => 1) size) as first. simpl in first.
      assert (0 <= mean (fun b => dot [tt] (step [tt] eta b (fun _ => 1)) (step [tt] eta b (fun _ => 1)))
        (sgd_draws B (on_the_line hs))); [|lra].
      apply mean_nonneg; [|intros; apply dot_pos]. apply draws_exist. unfold on_the_line. now rewrite map_length. }
    rewrite <- (pow1 t). now apply pow_incr.
Qed.

(* walker2023, the list after eq 2, "SGD can converge to minima satisfying (2)" (W2.b), is false: h = 3/5, 27/10,
   27/10 with eta = B = 1 obeys 0 <= a <= 2/eta and s <= (1/eta) sqrt(B(n-1)/(n-B)) and is not stable. *)
Definition three_slopes : list R := [6/10; 27/10; 27/10].

Theorem eq_2_does_not_suffice :
  0 <= mean (fun h => h) three_slopes <= 2 / 1
  /\ variance three_slopes
     <= (1 / 1 * sqrt (INR 1 * (INR (length three_slopes) - 1) / (INR (length three_slopes) - INR 1))) ^ 2
  /\ ~ mean_square_stable [tt] 1 (sgd_draws 1 (on_the_line three_slopes)).
Proof.
  assert (INR (length three_slopes) = 3) as n by (simpl; lra).
  assert (mean (fun h => h) three_slopes = 2) as average by (unfold mean; rewrite n; simpl; lra).
  assert (variance three_slopes = 98 / 100) as spread
    by (unfold variance; rewrite average; unfold mean; rewrite n; simpl; lra).
  repeat split; try lra.
  - rewrite spread, n. simpl INR. replace (1 * (3 - 1) / (3 - 1)) with 1 by lra. rewrite sqrt_1. lra.
  - rewrite line_stable_iff by (simpl; lia). unfold growth, noise_share. rewrite average, spread, n. simpl INR. lra.
Qed.
