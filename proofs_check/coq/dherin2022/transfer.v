(* Dherin et al. 2022, Theorem 5.1: the Jacobian in the input by the gradient in the weights, for dense layers. *)

From Coq Require Import Reals Lra Lia List Bool.
From ImplicitSmoothness Require Import Sums vectors.
Import ListNotations.
Open Scope R_scope.

Notation matrix := (nat -> nat -> R).

(* A v, for a matrix of n columns. *)
Definition image (n : nat) (A : matrix) (v : vector) : vector := fun i => sum (fun j => A i j * v j) (seq 0 n).
Definition transpose (A : matrix) : matrix := fun i j => A j i.

(* sigma_max(A) <= s, for m rows and n columns. *)
Definition norm_at_most (m n : nat) (s : R) (A : matrix) : Prop :=
  forall v, dot m (image n A v) (image n A v) <= s ^ 2 * dot n v v.

(* <A v, u> = <v, A^T u> *)
Lemma dot_transpose m n A v u : dot m (image n A v) u = dot n v (image m (transpose A) u).
Proof.
  unfold dot, image. rewrite (sum_eq _ (fun i => sum (fun j => A i j * v j * u i) (seq 0 n)))
    by (intros; rewrite Rmult_comm, <- sum_scal; apply sum_eq; intros; ring).
  rewrite sum_swap. apply sum_eq. intros j _. rewrite <- sum_scal. apply sum_eq. intros i _. unfold transpose. ring.
Qed.

(* A matrix and its transpose have one norm. *)
Lemma norm_of_transpose m n s A : norm_at_most m n s A -> norm_at_most n m s (transpose A).
Proof.
  intros bounded u. set (w := image m (transpose A) u).
  pose proof (dot_transpose m n A w u) as adjoint. fold w in adjoint.
  pose proof (cauchy_schwarz (image n A w) u (seq 0 m)) as C.
  change (dot m (image n A w) u * dot m (image n A w) u
    <= dot m (image n A w) (image n A w) * dot m u u) in C. rewrite adjoint in C.
  specialize (bounded w). pose proof (dot_nonneg m u). pose proof (dot_nonneg n w) as [above|zero]; [|rewrite <- zero].
  - apply (Rmult_le_reg_l (dot n w w)); [easy|].
    apply Rle_trans with (dot m (image n A w) (image n A w) * dot m u u); [easy|].
    replace (dot n w w * (s ^ 2 * dot m u u)) with (s ^ 2 * dot n w w * dot m u u) by ring.
    now apply Rmult_le_compat_r.
  - apply Rmult_le_pos; [apply pow2_ge_0|easy].
Qed.

(* What Theorem 5.1 speaks of at one layer and one point. *)
Record layer : Type := Layer {
  units : nat;                (* what the layer puts out, before the activation *)
  inputs : nat;               (* what it is given *)
  weights : matrix;           (* W, [units, inputs] *)
  has_biases : bool;
  given_to : vector;          (* h(x), [inputs] *)
  before : matrix;            (* h'(x), [inputs, d] *)
  after : matrix;             (* the Jacobian of f in what the layer puts out, [k, units] *)
  weights_norm : R;           (* at least sigma_max(W), above 0 *)
  before_norm : R             (* at least sigma_max(h'(x)), above 0 *)
}.

Section Transfer.
  Variables d k : nat. (* inputs and outputs of the network *)

  Definition squared_frobenius (rows : nat) (A : matrix) (columns : nat) : R :=
    sum (fun r => dot columns (A r) (A r)) (seq 0 rows).

  (* The derivatives of f_r in W_ab and in b_a, which no other layer shares: J_ra h_b and J_ra. *)
  Definition squared_gradient (L : layer) : R :=
    sum (fun r => sum (fun a => sum (fun b => (after L r a * given_to L b) ^ 2) (seq 0 (inputs L))
      + (if has_biases L then after L r a ^ 2 else 0)) (seq 0 (units L))) (seq 0 k).

  (* T_i^2, without 1/min(d, k). *)
  Definition squared_transfer (L : layer) : R :=
    ((if has_biases L then 1 else 0) + dot (inputs L) (given_to L) (given_to L))
    / (weights_norm L ^ 2 * before_norm L ^ 2).

  (* grad_x f = J W h', by the chain rule. *)
  Definition passes_through (jacobian : matrix) (L : layer) : Prop :=
    forall r c, (r < k)%nat -> (c < d)%nat ->
      jacobian r c = image (inputs L) (transpose (before L)) (image (units L) (transpose (weights L)) (after L r)) c.

  Definition norms_are (L : layer) : Prop :=
    0 < weights_norm L /\ 0 < before_norm L
    /\ norm_at_most (units L) (inputs L) (weights_norm L) (weights L)
    /\ norm_at_most (inputs L) d (before_norm L) (before L).

  Lemma gradient_of_layer L :
    squared_gradient L
    = squared_frobenius k (after L) (units L)
      * ((if has_biases L then 1 else 0) + dot (inputs L) (given_to L) (given_to L)).
  Proof.
    unfold squared_gradient, squared_frobenius. rewrite Rmult_comm, <- sum_scal. apply sum_eq. intros r _.
    unfold dot at 2. rewrite <- sum_scal. apply sum_eq. intros a _.
    rewrite (sum_eq _ (fun b => after L r a ^ 2 * (given_to L b * given_to L b))) by (intros; ring).
    rewrite sum_scal. fold (dot (inputs L) (given_to L) (given_to L)). destruct (has_biases L); ring.
  Qed.

  Lemma jacobian_at_layer jacobian L : passes_through jacobian L -> norms_are L ->
    squared_frobenius k jacobian d
    <= squared_frobenius k (after L) (units L) * (weights_norm L ^ 2 * before_norm L ^ 2).
  Proof.
    intros chain [s_pos [t_pos [of_weights of_before]]]. unfold squared_frobenius.
    rewrite Rmult_comm, <- sum_scal. apply sum_le. intros r Hr. apply in_seq in Hr.
    set (u := image (units L) (transpose (weights L)) (after L r)).
    apply Rle_trans with (before_norm L ^ 2 * dot (inputs L) u u).
    - pose proof (norm_of_transpose _ _ _ _ of_before u) as bounded.
      eapply Rle_trans; [|exact bounded]. right. unfold dot. apply sum_eq. intros c Hc. apply in_seq in Hc.
      rewrite chain by lia. reflexivity.
    - rewrite (Rmult_comm (weights_norm L ^ 2)), Rmult_assoc.
      apply Rmult_le_compat_l; [apply pow2_ge_0|]. apply (norm_of_transpose _ _ _ _ of_weights (after L r)).
  Qed.

  Lemma transfer_at_layer jacobian L : passes_through jacobian L -> norms_are L ->
    squared_frobenius k jacobian d * squared_transfer L <= squared_gradient L.
  Proof.
    intros chain norms. pose proof (jacobian_at_layer jacobian L chain norms) as bound.
    destruct norms as [s_pos [t_pos _]]. rewrite gradient_of_layer. unfold squared_transfer.
    set (c := (if has_biases L then 1 else 0) + dot (inputs L) (given_to L) (given_to L)).
    assert (0 <= c) by (unfold c; pose proof (dot_nonneg (inputs L) (given_to L)); destruct (has_biases L); lra).
    assert (0 < weights_norm L ^ 2 * before_norm L ^ 2) as P by (apply Rmult_lt_0_compat; now apply pow_lt).
    apply (Rmult_le_reg_r (weights_norm L ^ 2 * before_norm L ^ 2)); [easy|].
    replace (squared_frobenius k jacobian d * (c / (weights_norm L ^ 2 * before_norm L ^ 2))
      * (weights_norm L ^ 2 * before_norm L ^ 2)) with (squared_frobenius k jacobian d * c) by (field; split; lra).
    replace (squared_frobenius k (after L) (units L) * c * (weights_norm L ^ 2 * before_norm L ^ 2))
      with (squared_frobenius k (after L) (units L) * (weights_norm L ^ 2 * before_norm L ^ 2) * c) by ring.
    now apply Rmult_le_compat_r.
  Qed.

  (* B5: ||grad_x f||_F^2 <= ||grad_theta f||_F^2 / (T_1^2 + .. + T_l^2), without 1/min(d, k). *)
  Theorem transfer_bound jacobian layers :
    (forall L, In L layers -> passes_through jacobian L) -> (forall L, In L layers -> norms_are L) ->
    0 < sum squared_transfer layers ->
    squared_frobenius k jacobian d <= sum squared_gradient layers / sum squared_transfer layers.
  Proof.
    intros chain norms some. apply (Rmult_le_reg_r (sum squared_transfer layers)); [easy|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra. rewrite <- sum_scal.
    apply sum_le. intros L HL. apply transfer_at_layer; auto.
  Qed.

  Lemma squared_gradient_nonneg L : 0 <= squared_gradient L.
  Proof.
    apply sum_nonneg; intros r _. apply sum_nonneg; intros a _.
    assert (0 <= sum (fun b => (after L r a * given_to L b) ^ 2) (seq 0 (inputs L)))
      by (apply sum_nonneg; intros; apply pow2_ge_0).
    pose proof (pow2_ge_0 (after L r a)). destruct (has_biases L); lra.
  Qed.

  (* D10.a: eqs 9 and 10 as printed, with 1/min(d, k), where all layers have biases. *)
  Theorem printed_transfer_bound jacobian layers :
    (1 <= d)%nat -> (1 <= k)%nat -> layers <> [] ->
    (forall L, In L layers -> passes_through jacobian L) -> (forall L, In L layers -> norms_are L) ->
    (forall L, In L layers -> has_biases L = true) ->
    squared_frobenius k jacobian d
    <= sum squared_gradient layers / sum (fun L => squared_transfer L / INR (Nat.min d k)) layers.
  Proof.
    intros Hd Hk some chain norms biases. set (m := INR (Nat.min d k)).
    assert (1 <= m) as one by (unfold m; apply (le_INR 1); lia).
    assert (0 < sum squared_transfer layers) as T.
    { assert (forall L, In L layers -> 0 < squared_transfer L) as each.
      { intros L HL. destruct (norms L HL) as [s [t _]]. unfold squared_transfer. rewrite (biases L HL).
        pose proof (dot_nonneg (inputs L) (given_to L)).
        apply Rdiv_lt_0_compat; [lra|]. apply Rmult_lt_0_compat; now apply pow_lt. }
      destruct layers as [|L rest]; [easy|]. simpl. pose proof (each L (or_introl eq_refl)).
      assert (0 <= sum squared_transfer rest) by (apply sum_nonneg; intros; left; apply each; now right). lra. }
    eapply Rle_trans; [apply (transfer_bound jacobian layers); assumption|].
    assert (sum (fun L => squared_transfer L / m) layers = sum squared_transfer layers / m) as ->
      by (unfold Rdiv; apply sum_scal_r).
    assert (0 <= sum squared_gradient layers) by (apply sum_nonneg; intros; apply squared_gradient_nonneg).
    replace (sum squared_gradient layers / (sum squared_transfer layers / m))
      with (sum squared_gradient layers / sum squared_transfer layers * m) by (field; lra).
    rewrite <- Rmult_1_r at 1. apply Rmult_le_compat_l; [|easy].
    apply Rmult_le_pos; [easy|]. now apply Rlt_le, Rinv_0_lt_compat.
  Qed.
End Transfer.

(* D10, "Consider a logit network with l layers", is false without biases: f(x) = w x at w = 1, x = 0. *)
Definition without_bias : layer :=
  Layer 1 1 (fun _ _ => 1) false (fun _ => 0) (fun _ _ => 1) (fun _ _ => 1) 1 1.

Theorem biases_are_needed :
  passes_through 1 1 (fun _ _ => 1) without_bias /\ norms_are 1 without_bias
  /\ sum (squared_gradient 1) [without_bias] / ((1 + 0) / (1 ^ 2 * 1 ^ 2)) < squared_frobenius 1 (fun _ _ => 1) 1.
Proof.
  repeat split.
  - intros r c Hr Hc. unfold without_bias, image, transpose. simpl. ring.
  - simpl; lra.
  - simpl; lra.
  - intros v. unfold dot, image. simpl. nra.
  - intros v. unfold dot, image. simpl. nra.
  - unfold squared_gradient, squared_frobenius, dot, without_bias. simpl. lra.
Qed.
