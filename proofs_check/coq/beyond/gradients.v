(* The mean of |grad L_B|^2: over batches drawn without replacement (B15), and over label noise drawn afresh (B16). *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums vectors batches.
Import ListNotations.
Open Scope R_scope.

Section Batches.
  Variable d : nat. (* number of weights *)
  Notation dot := (dot d).

  Definition mean_gradient (l : list vector) : vector := fun c => mean (fun g : vector => g c) l.
  Definition covariance_trace (l : list vector) : R :=
    mean (fun g => dot (fun c => g c - mean_gradient l c) (fun c => g c - mean_gradient l c)) l.

  Lemma covariance_by_squares (l : list vector) : l <> [] ->
    covariance_trace l = mean (fun g => dot g g) l - dot (mean_gradient l) (mean_gradient l).
  Proof.
    intros nonempty. unfold covariance_trace, vectors.dot. rewrite !mean_sum_swap, <- sum_minus. apply sum_eq. intros c _.
    set (mu := mean_gradient l c).
    rewrite (mean_eq _ (fun g : vector => g c * g c + (-2 * mu * g c + mu * mu))) by (intros; ring).
    rewrite !mean_plus, mean_scal, mean_const by easy. fold (mean_gradient l c). fold mu. ring.
  Qed.

  (* B15: E_B |grad L_B|^2 = |grad L|^2 + (n - B)/(B (n - 1)) tr Cov. *)
  Theorem expected_squared_gradient B (gradients : list vector) : (1 <= B <= length gradients)%nat ->
    mean (fun batch => dot (mean_gradient batch) (mean_gradient batch)) (batches B gradients)
    = dot (mean_gradient gradients) (mean_gradient gradients)
      + noise_share (length gradients) B * covariance_trace gradients.
  Proof.
    intros size. assert (gradients <> []) as nonempty by (intros ->; simpl in size; lia).
    rewrite covariance_by_squares by easy. unfold vectors.dot at 1. rewrite mean_sum_swap.
    rewrite (sum_eq _ (fun c => mean_gradient gradients c * mean_gradient gradients c
      + noise_share (length gradients) B
        * (mean (fun g : vector => g c * g c) gradients - mean_gradient gradients c * mean_gradient gradients c)))
      by (intros c _; unfold mean_gradient; now apply square_of_batches).
    rewrite sum_plus, sum_scal, sum_minus. unfold vectors.dot. rewrite mean_sum_swap. reflexivity.
  Qed.
End Batches.

(* A sum of uncorrelated numbers of mean 0 and variance v, with coefficients. *)
Lemma bienayme {D} (draws : list D) (xi : D -> nat -> R) (v : R) (u : nat -> R) (L : list nat) :
  NoDup L ->
  (forall a b, In a L -> In b L -> mean (fun t => xi t a * xi t b) draws = if Nat.eq_dec a b then v else 0) ->
  mean (fun t => sum (fun a => xi t a * u a) L * sum (fun a => xi t a * u a) L) draws
  = v * sum (fun a => u a * u a) L.
Proof.
  intros distinct moments.
  rewrite (mean_eq _ (fun t => sum (fun a => sum (fun b => u a * u b * (xi t a * xi t b)) L) L)).
  2: { intros t _. rewrite sum_product. apply sum_eq. intros a _. apply sum_eq. intros b _. ring. }
  rewrite mean_sum_swap, <- sum_scal.
  rewrite (sum_eq _ (fun a => sum (fun b => if Nat.eq_dec b a then v * (u b * u b) else 0) L)).
  2: { intros a Ha. rewrite mean_sum_swap. apply sum_eq. intros b Hb. rewrite mean_scal, moments by easy.
    destruct (Nat.eq_dec a b); destruct (Nat.eq_dec b a); subst; try easy; ring. }
  now rewrite (sum_by_value (fun b => b) Nat.eq_dec (fun b => v * (u b * u b)) L L).
Qed.

Section Noise.
  Variable p : nat. (* number of weights *)
  Notation dot := (dot p).

  (* The labels of a batch, one after another: residual r_a without noise, and gradient of the output v_a. *)
  Variable residuals : nat -> R.
  Variable slopes : nat -> vector.
  Variable labels : nat.
  Variable B : R. (* number of examples *)

  (* grad L_B of L_B = (1/2B) sum (f - y - xi)^2 *)
  Definition noisy_gradient (xi : nat -> R) : vector :=
    fun c => / B * sum (fun a => (residuals a - xi a) * slopes a c) (seq 0 labels).

  (* B16: over any finite list of equally likely noises of mean 0 and covariance v I. *)
  Theorem label_noise (draws : list (nat -> R)) v : draws <> [] -> 0 < B ->
    (forall a, In a (seq 0 labels) -> mean (fun xi => xi a) draws = 0) ->
    (forall a b, In a (seq 0 labels) -> In b (seq 0 labels) ->
      mean (fun xi => xi a * xi b) draws = if Nat.eq_dec a b then v else 0) ->
    mean (fun xi => dot (noisy_gradient xi) (noisy_gradient xi)) draws
    = dot (noisy_gradient (fun _ => 0)) (noisy_gradient (fun _ => 0))
      + v / B * (/ B * sum (fun a => dot (slopes a) (slopes a)) (seq 0 labels)).
  Proof.
    intros some B_pos centred moments. unfold vectors.dot at 1 2. rewrite mean_sum_swap.
    assert (sum (fun a => dot (slopes a) (slopes a)) (seq 0 labels)
      = sum (fun c => sum (fun a => slopes a c * slopes a c) (seq 0 labels)) (seq 0 p)) as -> by apply sum_swap.
    rewrite <- !sum_scal, <- sum_plus. apply sum_eq. intros c _. set (L := seq 0 labels) in *.
    set (noise := fun xi : nat -> R => sum (fun a => xi a * slopes a c) L).
    set (g := noisy_gradient (fun _ => 0) c).
    rewrite (mean_eq _ (fun xi => g * g + (-2 * g / B * noise xi + / B ^ 2 * (noise xi * noise xi)))).
    2: { intros xi _. assert (noisy_gradient xi c = g - / B * noise xi) as ->.
      { unfold g, noisy_gradient, noise. fold L. rewrite <- Rmult_minus_distr_l, <- sum_minus. f_equal. apply sum_eq.
        intros; ring. }
      field. lra. }
    rewrite !mean_plus, mean_const, !mean_scal by easy.
    assert (mean noise draws = 0) as ->.
    { unfold noise. rewrite mean_sum_swap. apply sum_zero. intros a Ha.
      rewrite (mean_eq _ (fun xi => slopes a c * xi a)) by (intros; ring). rewrite mean_scal, centred by easy. ring. }
    unfold noise. rewrite (bienayme draws (fun xi => xi) v (fun a => slopes a c) L) by (try apply seq_NoDup; easy).
    field. lra.
  Qed.
End Noise.
